use std::io::{self, Read};

/// A body that is told to be whole only if it is: an error stays, and the end comes after as many bytes as
/// were stated.
pub(crate) struct WholeBody<R> {
    inner: R,
    /// How many bytes are still to come, if the server stated how many there are.
    left: Option<u64>,
    is_broken: bool,
}

impl<R: Read> WholeBody<R> {
    pub(crate) fn new(inner: R, stated_bytes: Option<u64>) -> Self {
        Self { inner, left: stated_bytes, is_broken: false }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        let Some(left) = &mut self.left else { return Ok(bytes) };
        *left =
            left.checked_sub(bytes as u64).ok_or_else(|| io::Error::other("more content than was stated"))?;
        if bytes == 0 && *left > 0 && !buffer.is_empty() {
            let text = format!("the content ends {left} bytes early");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        Ok(bytes)
    }
}

impl<R: Read> Read for WholeBody<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_broken {
            return Err(io::Error::other("reading failed before"));
        }
        let result = self.read_some(buffer);
        self.is_broken = result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_only_where_it_should() {
        for (stated, good) in
            [(None, true), (Some(3), true), (Some(4), false), (Some(2), false), (Some(0), false)]
        {
            let mut body = WholeBody::new(&b"abc"[..], stated);
            let mut bytes = Vec::new();
            assert_eq!(body.read_to_end(&mut bytes).is_ok(), good, "{stated:?}");
            assert_eq!(body.read(&mut [0; 8]).is_ok(), good, "an error stays: {stated:?}");
        }
    }
}
