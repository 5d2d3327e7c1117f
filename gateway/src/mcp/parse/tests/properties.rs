//! Whatever is read means the same to another parser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{any, proptest};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use super::{LEGACY, call, meta, modern, modern_call, read, request};
use crate::mcp::call::{Message, Read, Target};

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_read_is_what_serde_reads(name in any::<String>(), is_modern in any::<bool>(), value in any::<String>()) {
        let params = json!({ "name": name, "arguments": { "v": value }, "_meta": meta() });
        let legacy_params = json!({ "name": name, "arguments": { "v": value } });
        let header = format!("=?base64?{}?=", STANDARD.encode(&name));
        let (body, head) = if is_modern {
            (request("tools/call", &params), modern("tools/call", Some(&header)))
        } else {
            (request("tools/call", &legacy_params), LEGACY)
        };
        if let Ok(read) = read(&body, head) {
            let call = call(Ok(read));
            let serde: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(serde["method"].as_str(), Some(&*call.method_name));
            prop_assert_eq!(call.target, Target::Tool(serde["params"]["name"].as_str().unwrap().into()));
            let arguments: Value = serde_json::from_slice(&body[call.arguments.unwrap()]).unwrap();
            prop_assert_eq!(&arguments, &serde["params"]["arguments"]);
        } else {
            prop_assert!(name.is_empty() || name.len() > 4096 || name.chars().any(char::is_control));
        }
    }

    #[test]
    fn no_single_byte_changes_what_both_read(at in any::<usize>(), byte in any::<u8>(), is_modern in any::<bool>()) {
        let mut body = modern_call("get");
        let at = at % body.len();
        body[at] = byte;
        let head = if is_modern { modern("tools/call", Some("get")) } else { LEGACY };
        if let Ok(Read { message: Message::Request(call), .. }) = read(&body, head) {
            let serde: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(serde["method"].as_str(), Some(&*call.method_name));
            if let Target::Tool(name) = call.target {
                prop_assert_eq!(serde["params"]["name"].as_str(), Some(&*name));
            }
        }
    }
}
