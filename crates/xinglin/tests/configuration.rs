//! A wrong setting stops the start with one line that names it, what was given, and what is
//! accepted; and nothing is made or changed.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on says why and fails"
)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of its own for one test, which must not exist afterwards.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("xinglin-config-{}-{name}", std::process::id()));
    std::fs::remove_dir_all(&folder).ok();
    folder
}

fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_xinglin"));
    program.args(arguments).env_remove("XINGLIN_LOG");
    for (name, value) in settings {
        program.env(name, value);
    }
    program.output().unwrap()
}

/// Asserts that it ends with code 1 and one line that has all of these words.
fn is_refused(name: &str, arguments: &[&str], settings: &[(&str, &str)], words: &[&str]) {
    let data = folder(name);
    let database = format!("sqlite:{}", data.join("xinglin.db").display());
    let keys = data.join("keys").display().to_string();
    let mut all = vec![
        ("ORDER_DB_URL", database.as_str()),
        ("XINGLIN_KEYS_DIR", keys.as_str()),
        ("XINGLIN_LISTEN", "127.0.0.1:0"),
        ("XINGLIN_LOG", "error"),
    ];
    all.extend(settings);
    let output = start(arguments, &all);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in: {said}");
    }
    std::fs::remove_dir_all(data).ok();
}

#[test]
fn a_database_that_is_none() {
    let words = ["ORDER_DB_URL", "`mysql://x`", "sqlite:", "postgres://"];
    is_refused(
        "scheme",
        &["serve"],
        &[("ORDER_DB_URL", "mysql://x")],
        &words,
    );
    is_refused(
        "check",
        &["check"],
        &[("ORDER_DB_URL", "mysql://x")],
        &words,
    );
}

#[test]
fn a_database_that_does_not_answer() {
    // Nobody listens on port 1.
    let url = "postgres://xinglin@127.0.0.1:1/xinglin";
    let nowhere = "sqlite:/proc/xinglin/xinglin.db";
    is_refused(
        "file",
        &["serve"],
        &[("ORDER_DB_URL", nowhere)],
        &["/proc/xinglin"],
    );
    is_refused(
        "gone",
        &["serve"],
        &[("ORDER_DB_URL", url)],
        &["127.0.0.1:1", "refused"],
    );
}

#[test]
fn a_time_out_out_of_its_range() {
    let wechat = [
        ("WECHAT_APPID", "wx1"),
        ("WECHAT_MCHID", "190"),
        ("WECHAT_MERCHANT_SERIAL", "1"),
        ("WECHAT_MERCHANT_KEY_FILE", "/dev/null"),
        ("WECHAT_API_V3_KEY", "12345678901234567890123456789012"),
        ("WECHAT_PLATFORM_SERIAL", "1"),
        ("WECHAT_PLATFORM_KEY_FILE", "/dev/null"),
        ("XINGLIN_PUBLIC_URL", "https://hospital.example"),
        ("PAYMENT_TIMEOUT", "soon"),
    ];
    is_refused(
        "timeout",
        &["serve"],
        &wechat,
        &["PAYMENT_TIMEOUT", "`soon`", "1 to 60"],
    );
}

#[test]
fn half_of_a_gateways_settings() {
    let some = [("WECHAT_APPID", "wx1"), ("WECHAT_MCHID", "190")];
    is_refused(
        "half",
        &["serve"],
        &some,
        &["WECHAT_MERCHANT_SERIAL", "not set"],
    );
}

#[test]
fn an_address_that_is_none() {
    is_refused(
        "listen",
        &["serve"],
        &[("XINGLIN_LISTEN", "everywhere")],
        &["XINGLIN_LISTEN", "`everywhere`", "127.0.0.1:8080"],
    );
}

#[test]
fn a_log_level_that_is_none() {
    is_refused(
        "log",
        &["serve"],
        &[("XINGLIN_LOG", "a=b=c")],
        &["XINGLIN_LOG", "`a=b=c`", "info"],
    );
}

#[test]
fn servers_for_calls_that_no_browser_takes() {
    for given in [
        "stun:x",
        "{}",
        r#"[{"urls":"http://x"}]"#,
        r#"[{"urls":[]}]"#,
    ] {
        let settings = [("XINGLIN_ICE_SERVERS", given)];
        is_refused(
            "ice",
            &["serve"],
            &settings,
            &["XINGLIN_ICE_SERVERS", given, "stun:"],
        );
    }
}

#[test]
fn play_money_in_production() {
    let production = [("XINGLIN_ENV", "production")];
    is_refused("demo", &["demo"], &production, &["XINGLIN_ENV", "serve"]);
    is_refused(
        "sandbox",
        &["sandbox"],
        &production,
        &["XINGLIN_ENV", "serve"],
    );
}

#[test]
fn a_key_that_is_none() {
    let keys = folder("keys-given");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("quote.key"), "too short").unwrap();
    let given = keys.display().to_string();
    let settings = [("XINGLIN_KEYS_DIR", given.as_str())];
    is_refused("keys", &["serve"], &settings, &["quote.key", "32 bytes"]);
    std::fs::remove_dir_all(keys).unwrap();
}

#[test]
fn a_storage_of_files_that_is_none() {
    let refused = |name, settings: &[(&str, &str)], words: &[&str]| {
        is_refused(name, &["serve"], settings, words);
    };
    refused(
        "storage",
        &[("FILE_STORAGE", "tape")],
        &["FILE_STORAGE", "`tape`", "local or s3"],
    );
    refused(
        "storage-dir",
        &[("FILE_STORAGE_DIR", "/proc/files")],
        &["FILE_STORAGE_DIR", "`/proc/files`", "folder"],
    );
    let mut bucket = vec![
        ("FILE_STORAGE", "s3"),
        ("S3_ENDPOINT", "https://s3.example"),
        ("S3_REGION", "cn-east-1"),
        ("S3_BUCKET", "files"),
        ("S3_ACCESS_KEY", "apricot"),
    ];
    refused("s3-half", &bucket, &["S3_SECRET_KEY", "not set"]);
    bucket.push(("S3_SECRET_KEY", "grove"));
    bucket.push(("S3_URL_STYLE", "round"));
    let words = ["S3_URL_STYLE", "`round`", "path or virtual"];
    refused("s3-style", &bucket, &words);
    bucket[1].1 = "somewhere";
    bucket[6].1 = "virtual";
    refused(
        "s3-endpoint",
        &bucket,
        &["S3_ENDPOINT", "`somewhere`", "https"],
    );
}

#[test]
fn an_argument_that_is_unknown() {
    let output = start(&["serve", "--port", "80"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--port"), "{said}");
}

#[test]
fn addresses_and_countries_that_are_none() {
    is_refused(
        "public-url",
        &["serve"],
        &[("XINGLIN_PUBLIC_URL", "hospital.example")],
        &["XINGLIN_PUBLIC_URL", "`hospital.example`", "https://"],
    );
    is_refused(
        "countries",
        &["serve"],
        &[("XINGLIN_COUNTRIES", "China")],
        &["XINGLIN_COUNTRIES", "`China`", "CN,NZ"],
    );
}
