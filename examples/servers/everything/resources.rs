//! The resources and what reading them gives. Never invents a resource: an unknown URI is an error.

use rmcp::ErrorData;
use rmcp::model::{ReadResourceResponse, ReadResourceResult};
use serde_json::json;

use super::content::{RED_PIXEL_PNG, modelled};

/// The resource that subscribers hear about.
pub(super) const WATCHED: &str = "test://watched-resource";

/// Answers `resources/read`.
pub(super) fn read(uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let contents = match uri {
        "test://static-text" => json!({
            "uri": uri, "mimeType": "text/plain",
            "text": "This is the content of the static text resource.",
        }),
        "test://static-binary" => json!({
            "uri": uri, "mimeType": "image/png", "blob": RED_PIXEL_PNG,
        }),
        WATCHED => json!({
            "uri": uri, "mimeType": "text/plain", "text": "This resource can be watched.",
        }),
        _ => {
            let id = template_id(uri).ok_or_else(|| unknown(uri))?;
            let data =
                json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            json!({"uri": uri, "mimeType": "application/json", "text": data.to_string()})
        }
    };
    modelled(contents).map(|contents| ReadResourceResult::new(vec![contents]).into())
}

/// The error for a URI that names no resource, with the URI in its data.
pub(super) fn unknown(uri: &str) -> ErrorData {
    ErrorData::resource_not_found("resource not found", Some(json!({"uri": uri})))
}

fn template_id(uri: &str) -> Option<&str> {
    uri.strip_prefix("test://template/")?
        .strip_suffix("/data")
        .filter(|id| !id.is_empty() && !id.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn template_with_an_id_is_read() {
        assert!(read("test://template/123/data").is_ok());
    }

    #[test]
    fn unknown_resource_is_refused_with_its_uri() {
        for uri in [
            "test://nothing",
            "test://template//data",
            "test://template/a/b/data",
        ] {
            let data = read(uri).unwrap_err().data.unwrap();
            assert_eq!(data["uri"], uri);
        }
    }
}
