/// A vector unit: what MD5, SHA-1 and SHA-256 need of it, on `L` lanes of 32 bits at once. Every lane is another content.
///
/// A value is the proof that the processor can do these operations: where they need instructions that not every
/// processor has, only detection makes one. So all methods are safe to call.
///
/// All methods are meant to be inlined into a function that is compiled for the unit's instructions.
pub(crate) trait Simd<const L: usize>: Copy {
    /// `L` numbers of 32 bits.
    type V: Copy;

    /// The same number in every lane.
    fn splat(self, number: u32) -> Self::V;
    /// One number for each lane.
    fn load(self, numbers: &[u32; L]) -> Self::V;
    /// The reverse of [`Simd::load`].
    fn store(self, numbers: &mut [u32; L], v: Self::V);
    /// Sets `words[i]` to word `i` of every lane's block, little-endian.
    fn transpose(self, blocks: &[&[u8; 64]; L], words: &mut [Self::V; 16]);

    /// `a + b`, modulo 2^32.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `v`, of which the compiler knows nothing more. It would otherwise regroup a sum so that what was ready long ago is
    /// added after what the next round waits for.
    fn opaque(self, v: Self::V) -> Self::V;
    /// `a ^ b`
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a ^ b ^ c`
    fn xor3(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `yes` where a bit of `which` is set, `no` elsewhere.
    fn choose(self, which: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// What at least two of the three are.
    fn majority(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `b ^ (a | !c)`: the fourth function of MD5.
    fn md5_i(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Rotates left by `LEFT` bits. `RIGHT` is 32 - `LEFT`, said as well because Rust cannot compute it here.
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, v: Self::V) -> Self::V;
    /// Shifts right by `BITS`.
    fn shift_right<const BITS: i32>(self, v: Self::V) -> Self::V;
    /// The bytes of each number in reverse.
    fn swap_bytes(self, v: Self::V) -> Self::V;
}
