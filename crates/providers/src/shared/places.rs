//! Directories that may be gone or never answer.

use std::path::Path;
use std::time::Duration;

use domain::ErrorCode;

use crate::OpenError;

/// How long a directory may take to be read.
const ON_DISK: Duration = Duration::from_secs(10);

/// Reads something of a directory where it holds nobody up: its file system may never answer.
pub(crate) async fn on_disk<T: Send + 'static>(
    directory: &Path,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    match tokio::time::timeout(ON_DISK, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) | Err(_) => Err(OpenError {
            code: ErrorCode::AgentUnavailable,
            message: format!("the directory {} does not answer", directory.display()),
            hint: Some("bring its file system back, or work in another project".to_owned()),
        }),
    }
}

/// Fails when a directory is not there.
pub(crate) async fn must_be(directory: &Path) -> Result<(), OpenError> {
    let path = directory.to_owned();
    if on_disk(directory, move || path.is_dir()).await? {
        return Ok(());
    }
    Err(OpenError {
        code: ErrorCode::AgentUnavailable,
        message: format!("the directory {} is gone", directory.display()),
        hint: Some("bring it back, or work in another project".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_does_not_answer_is_told_and_holds_nobody_up() {
        let (answer, asked) = std::sync::mpsc::channel::<()>();
        let dead = tokio::spawn(async move {
            on_disk(Path::new("/far"), move || asked.recv().is_ok()).await.unwrap_err()
        });
        assert!(must_be(Path::new("/")).await.is_ok());
        tokio::time::advance(ON_DISK + Duration::from_secs(1)).await;
        let error = dead.await.unwrap();
        assert_eq!(error.code, ErrorCode::AgentUnavailable);
        assert_eq!(error.message, "the directory /far does not answer");
        drop(answer);
        let gone = must_be(Path::new("/no/such/directory")).await.unwrap_err();
        assert!(gone.message.ends_with("is gone"), "{gone}");
    }
}
