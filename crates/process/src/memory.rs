//! Memory that the allocator holds and nothing uses.

/// Gives free memory back to the system. GNU's allocator keeps what a burst of work took: after an
/// hour of many threads that was ten times what was still in use. Takes some milliseconds, so it is
/// called on a thread that may block. Does nothing with other allocators.
pub fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes the allocator's own locks and moves nothing that is in use.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_between_what_is_in_use_is_given_back() {
        const PIECE: usize = 16 * 1024;
        let used = || crate::usage(std::process::id()).unwrap().own_rss_bytes;
        let mut pieces: Vec<Vec<u8>> = (0..4_000).map(|_| vec![1; PIECE]).collect();
        let mut number = 0;
        pieces.retain(|_| {
            number += 1;
            number % 100 == 0
        });
        let before = used();
        give_back_memory();
        let freed = before.saturating_sub(used());
        assert!(freed > 2_000 * PIECE as u64, "{freed} bytes of {before}, {} held", pieces.len());
    }
}
