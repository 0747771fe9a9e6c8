/// Choices from the fuzzer's bytes, one byte after the other; zeros after the last byte.
pub(super) struct Operations<'d>(&'d [u8]);

impl<'d> Operations<'d> {
    pub(super) fn new(data: &'d [u8]) -> Self {
        Operations(data)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of `choices`, counted from zero.
    pub(super) fn choose(&mut self, choices: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % choices
    }
}
