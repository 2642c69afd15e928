//! Files that go with messages: taken, given back safely, and refused by code.

use domain::{Attachment, AttachmentKind, TurnId, Window};
use protocol::ProblemCode;
use serde_json::json;
use uuid::Uuid;

use crate::kit::{Server, problem};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

async fn upload(server: &Server, name: &str, bytes: &[u8]) -> reqwest::Response {
    let path = format!("/api/attachments?name={name}");
    let request = server.request("post", &path).header("content-type", "image/svg+xml");
    request.body(bytes.to_vec()).send().await.unwrap()
}

#[tokio::test]
async fn what_is_uploaded_is_known_by_its_content_and_given_back_safely() {
    let server = Server::start().await;
    let taken = upload(&server, "..%2Fa.png", PNG).await;
    assert_eq!(taken.status(), 201);
    let image: Attachment = taken.json().await.unwrap();
    let expected = (AttachmentKind::Png, "a.png", PNG.len() as u64);
    assert_eq!((image.kind, image.name.as_str(), image.bytes), expected);
    let again: Attachment = upload(&server, "b.png", PNG).await.json().await.unwrap();
    assert_eq!(again.id, image.id, "the same bytes are the same file");
    // A page that is attached is text, whatever it is called or said to be.
    let page = b"<script>alert(1)</script>";
    let page: Attachment = upload(&server, "x.html", page).await.json().await.unwrap();
    for (file, kind, disposition) in
        [(&image, "image/png", "inline"), (&page, "text/plain", "attachment")]
    {
        let path = format!("/api/attachments/{}", file.id);
        let given = server.request("get", &path).send().await.unwrap();
        let header = |name: &str| given.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), kind);
        assert_eq!(header("content-disposition"), disposition);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(given.bytes().await.unwrap().len() as u64, file.bytes);
    }
    let path = format!("/api/attachments/{}", image.id);
    problem(server.bare("get", &path).send().await.unwrap(), 401, ProblemCode::Unauthorized).await;
    let data = server.home.path().join("data/attachments").join(image.id.as_str());
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn files_that_cannot_go_with_a_message_are_refused_by_code() {
    let server = Server::start().await;
    let thread = server.thread().await;
    use ProblemCode as Code;
    problem(upload(&server, "a.zip", b"PK\x03\x04\0").await, 415, Code::AttachmentUnsupported)
        .await;
    let huge = vec![b'x'; 10 * 1024 * 1024 + 1];
    problem(upload(&server, "a.txt", &huge).await, 413, Code::AttachmentTooLarge).await;
    let send = async |files: serde_json::Value| {
        let id = TurnId::from_uuid(Uuid::now_v7());
        let message = json!({ "id": id, "text": "", "attachments": files });
        server.post(&format!("/api/threads/{}/turns", thread.id), &message).await
    };
    let gone = json!([{ "id": "att_00000000000000000000000000000000", "name": "a" }]);
    problem(send(gone).await, 404, Code::UnknownAttachment).await;
    let image: Attachment = upload(&server, "a.png", PNG).await.json().await.unwrap();
    let name = json!({ "id": image.id, "name": "a.png" });
    problem(send(json!(vec![name.clone(); 21])).await, 422, Code::TooManyAttachments).await;
    // The model of this server cannot look at pictures.
    problem(send(json!([name])).await, 422, Code::ModelCannotRead).await;
    problem(send(json!([])).await, 422, Code::EmptyMessage).await;
    let text: Attachment = upload(&server, "a.txt", b"words").await.json().await.unwrap();
    let sent = send(json!([{ "id": text.id, "name": "a.txt" }])).await;
    assert_eq!(sent.status(), 202);
    let window: Window = server.get(&format!("/api/threads/{}/window", thread.id)).await;
    assert_eq!(window.turns[0].input.attachments, [text]);
    assert_eq!(window.thread.title, "a.txt");
}
