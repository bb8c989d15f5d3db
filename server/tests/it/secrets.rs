//! No secret reaches the log, however much is logged: the real process, at level trace.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::{Client, RequestBuilder, Response, redirect::Policy};

use crate::support::{PASSWORD, a_photo, created, form};

fn gourmetgram(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gourmetgram"));
    command
        .current_dir(data)
        .env("GOURMETGRAM__DATA_DIR", data)
        .env("GOURMETGRAM__SERVER__LISTEN", "127.0.0.1:0")
        .env("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0");
    command
}

/// Runs a command and answers the last word it printed.
fn printed(data: &Path, words: &[&str], stdin: &str) -> String {
    let mut command = gourmetgram(data);
    command.env("GOURMETGRAM__SERVER__PUBLIC_URL", "http://food.example");
    let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap().split_whitespace().last().unwrap_or_default().to_owned()
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cookies(response: &Response) -> Vec<String> {
    let cookies = response.headers().get_all("set-cookie").iter();
    let values = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap().1);
    values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn no_secret_is_in_the_log_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let log = data.join("log");
    let mut child = gourmetgram(data)
        .arg("serve")
        .env("GOURMETGRAM__LOG__FILTER", "trace")
        .stdout(Stdio::piped())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let _server = Server(child);
    let mut output = String::new();
    let mut url = String::new();
    for line in stdout.lines() {
        let line = line.unwrap();
        output.push_str(&line);
        if let Some(address) = line.strip_prefix("GourmetGram at ") {
            address.clone_into(&mut url);
            break;
        }
    }

    let mut secrets = vec![PASSWORD.to_owned(), "wrong wrong wrong".to_owned(), "another good password".to_owned()];
    let client = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
    let send = async |request: RequestBuilder| request.header("sec-fetch-site", "same-origin").send().await.unwrap();
    let encode =
        |fields: &[(&str, &str)]| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let post = |path: &str, fields: &[(&str, &str)]| {
        let form = client.post(format!("{url}{path}")).header("content-type", "application/x-www-form-urlencoded");
        form.body(encode(fields))
    };

    // The link of the first start is in its file and nowhere else, because standard output is no terminal here.
    let path = data.join("operator-link");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let link = fs::read_to_string(&path).unwrap().trim().to_owned();
    let token = link.split_once("token=").unwrap().1.to_owned();
    assert!(!output.contains(&token), "{output}");
    assert!(output.contains("operator-link"), "{output}");
    let page = send(client.get(&link)).await;
    assert_eq!(page.status(), 200);
    secrets.extend(cookies(&page));
    let used = send(post("/login/link", &[("token", &token)])).await;
    assert_eq!(used.status(), 303);
    secrets.extend(cookies(&used));
    secrets.push(token);
    assert!(!path.exists(), "a link that is used up is removed");
    let account = [("name", "otto"), ("password", PASSWORD), ("again", PASSWORD)];
    secrets.extend(cookies(&send(post("/login/account", &account)).await));
    assert_eq!(send(post("/login", &[("name", "otto"), ("password", "wrong wrong wrong")])).await.status(), 401);
    // Somebody types the password into the field for the name.
    assert_eq!(send(post("/login", &[("name", "another good password"), ("password", "")])).await.status(), 401);
    assert_eq!(send(post("/login?password=in+the+query", &[("token", PASSWORD)])).await.status(), 401);
    let signed_in = send(post("/login", &[("name", "otto"), ("password", PASSWORD), ("next", "/")])).await;
    assert_eq!(signed_in.status(), 303);
    secrets.extend(cookies(&signed_in));

    // What the command line hands out while the server runs.
    let token = printed(data, &["user", "token", "add", "machine", "--scope", "admin"], "");
    printed(data, &["user", "add", "anna", "--role", "annotator", "--password-stdin"], "another good password\n");
    let link = printed(data, &["user", "link"], "");
    secrets.push(link.split_once("token=").unwrap().1.to_owned());
    for path in ["/api/v1/predictions", "/"] {
        let seen = Client::new().get(format!("{url}{path}")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(seen.status(), 200, "{path}");
    }
    let wrong = "ggo_this_one_was_never_issued";
    assert_eq!(Client::new().get(format!("{url}/metrics")).bearer_auth(wrong).send().await.unwrap().status(), 401);
    secrets.extend([token, wrong.to_owned()]);
    let upload = client.post(format!("{url}/api/v1/predictions")).multipart(form(a_photo(1)));
    let photo = created(send(upload).await).await;
    let image = format!("{url}/api/v1/predictions/{}/image", photo.id);
    let seen = Client::new().get(image).bearer_auth(&photo.feedback_token).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    secrets.push(photo.feedback_token);
    secrets.push(fs::read_to_string(data.join("secret.key")).unwrap());
    assert_eq!(send(client.post(format!("{url}/logout"))).await.status(), 303);

    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("TRACE") && log.contains("/login/link"), "the log shows what happened");
    assert!(secrets.len() >= 14, "{}", secrets.len());
    for secret in &secrets {
        assert!(secret.len() >= 12, "{secret:?} is too short to be looked for");
        for form in [secret.clone(), secret.replace(' ', "+"), secret.replace(' ', "%20")] {
            let line = log.lines().find(|line| line.contains(&form));
            assert!(line.is_none(), "a secret is in the log: {line:?}");
        }
    }
}
