//! A layer over each connection that tells two things apart which ureq takes for one.
//!
//! Where a connection ends without TLS saying so, content may have been cut off by anybody on the way (RFC
//! 8446, section 6.1). ureq takes such an end for the end of a body that states no length; here it is an
//! error.
//!
//! Where a kept connection ends before anything is answered, the server had closed it as idle while the
//! request was under way (RFC 9112, section 9.3.1). That is no failure of the server, and not worth an
//! attempt.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// A kept connection turned out to be closed. Nothing was answered on it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the kept connection was closed")]
pub(crate) struct StaleConnection;

impl StaleConnection {
    pub(crate) fn is(error: &Error) -> bool {
        matches!(error, Error::Other(error) if error.is::<Self>())
    }
}

/// Goes behind the connectors that make the connection.
#[derive(Debug)]
pub(crate) struct StrictEnd;

#[derive(Debug)]
pub(crate) struct StrictEndTransport<T> {
    inner: T,
    was_answered_before: bool,
    /// Something came since the request that is under way.
    is_answered: bool,
}

impl<In: Transport> Connector<In> for StrictEnd {
    type Out = StrictEndTransport<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let wrap = |inner| StrictEndTransport { inner, was_answered_before: false, is_answered: false };
        Ok(chained.map(wrap))
    }
}

impl<T: Transport> StrictEndTransport<T> {
    fn told(&self, error: Error) -> Error {
        match error {
            Error::Io(_) if self.was_answered_before && !self.is_answered => {
                Error::Other(Box::new(StaleConnection))
            }
            // As an error of no kind that ureq knows to be an end.
            Error::Io(error) => Error::Other(Box::new(error)),
            other => other,
        }
    }
}

impl<T: Transport> Transport for StrictEndTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.was_answered_before |= self.is_answered;
        self.is_answered = false;
        self.inner.transmit_output(amount, timeout).map_err(|error| self.told(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let has_come = self.inner.await_input(timeout).map_err(|error| self.told(error))?;
        if !has_come && self.was_answered_before && !self.is_answered {
            return Err(Error::Other(Box::new(StaleConnection)));
        }
        self.is_answered |= has_come;
        Ok(has_come)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
