use super::DeskError;

/// Where an asker is told. Called once, from whichever thread has the answer: it had better only hand it on.
///
/// One that is dropped tells that the desk is closed, so that nobody waits for a thread that has failed.
pub struct Reply<T>(Option<Told<T>>);

type Told<T> = Box<dyn FnOnce(Result<T, DeskError>) + Send>;

impl<T: Send + 'static> Reply<T> {
    /// A reply that calls `told`.
    pub fn new(told: impl FnOnce(Result<T, DeskError>) + Send + 'static) -> Self {
        Self(Some(Box::new(told)))
    }

    /// Tells the asker.
    pub(super) fn give(mut self, answer: Result<T, DeskError>) {
        if let Some(told) = self.0.take() {
            told(answer);
        }
    }

    /// A reply that gives this one what becomes of what it is given.
    pub(super) fn map<U: Send + 'static>(self, mapped: impl FnOnce(U) -> T + Send + 'static) -> Reply<U> {
        Reply::new(move |given: Result<U, DeskError>| self.give(given.map(mapped)))
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(told) = self.0.take() {
            told(Err(DeskError::Closed));
        }
    }
}
