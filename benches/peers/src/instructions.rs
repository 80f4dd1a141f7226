//! How many of an instruction the processor does in a cycle, and how many cycles one waits for the one before.
#![allow(unsafe_code, reason = "instructions are named one by one")]

use std::arch::asm;

use crate::measure::medians;

/// So often each loop is gone through.
const LOOPS: u64 = 50_000;
/// So many instructions stand in a loop: twelve registers in turn, or one register all the time, twenty times.
const INSTRUCTIONS: u64 = 12 * 20;

/// An instruction of a kernel.
struct Instruction {
    name: &'static str,
    available: bool,
    /// Many that do not wait for each other.
    side_by_side: fn(),
    /// Each waits for the one before.
    chained: fn(),
}

/// A loop of one instruction over registers whose numbers stand for `\r`.
macro_rules! repeated {
    ($instruction:literal, $registers:literal) => {
        || {
            // SAFETY: only vector registers that are named as lost are written, and no memory.
            unsafe {
                asm!(
                    "2:",
                    ".rept 20",
                    concat!(".irp r,", $registers),
                    $instruction,
                    ".endr",
                    ".endr",
                    "dec {loops}",
                    "jnz 2b",
                    loops = inout(reg) LOOPS => _,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                    out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _,
                    out("xmm11") _, out("xmm12") _, options(nomem, nostack),
                );
            }
        }
    };
}

macro_rules! instruction {
    ($name:literal, $feature:tt, $instruction:literal) => {
        Instruction {
            name: $name,
            available: is_x86_feature_detected!($feature),
            side_by_side: repeated!($instruction, "1,2,3,4,5,6,7,8,9,10,11,12"),
            chained: repeated!($instruction, "1,1,1,1,1,1,1,1,1,1,1,1"),
        }
    };
}

/// Prints what each takes, told in cycles.
pub(crate) fn table() {
    let all = [
        instruction!("addition, 512 bits (`vpaddd`)", "avx512f", "vpaddd zmm\\r, zmm\\r, zmm0"),
        instruction!(
            "function of three bits, 512 bits (`vpternlogd`)",
            "avx512f",
            "vpternlogd zmm\\r, zmm\\r, zmm0, 0x96"
        ),
        instruction!("rotation, 512 bits (`vprold`)", "avx512f", "vprold zmm\\r, zmm\\r, 7"),
        instruction!("addition, 256 bits (`vpaddd`)", "avx2", "vpaddd ymm\\r, ymm\\r, ymm0"),
        instruction!("function of two bits, 256 bits (`vpxor`)", "avx2", "vpxor ymm\\r, ymm\\r, ymm0"),
        instruction!("shift, 256 bits (`vpslld`)", "avx2", "vpslld ymm\\r, ymm\\r, 7"),
        instruction!("two rounds of SHA-256 (`sha256rnds2`)", "sha", "sha256rnds2 xmm\\r, xmm0, xmm0"),
    ];
    println!("\n## instructions\n");
    println!("| instruction | so many a cycle | cycles until the next has its result |\n|---|---|---|");
    for instruction in all.iter().filter(|instruction| instruction.available) {
        // The cycle is measured in the same rounds.
        let seconds = medians(3, |turn| match turn {
            0 => cycles(),
            1 => (instruction.side_by_side)(),
            _ => (instruction.chained)(),
        });
        println!(
            "| {} | {:.2} | {:.2} |",
            instruction.name,
            seconds[0] / seconds[1],
            seconds[2] / seconds[0]
        );
    }
    let cycle_ns = medians(1, |_| cycles())[0] * 1e9 / (LOOPS * INSTRUCTIONS) as f64;
    println!("\nA cycle is {cycle_ns:.3} ns: what an addition of two registers waits for the one before.");
}

/// Takes a cycle for each of as many instructions as the other loops have.
fn cycles() {
    // SAFETY: two registers are changed, and no memory.
    unsafe {
        asm!(
            "2:",
            ".rept 240",
            "add {sum}, {loops}",
            ".endr",
            "dec {loops}",
            "jnz 2b",
            sum = inout(reg) 0_u64 => _,
            loops = inout(reg) LOOPS => _,
            options(nomem, nostack),
        );
    }
}
