//! Customers of two tenants, with what was refunded to them. Pays nobody.

use std::collections::BTreeMap;

use rmcp::model::JsonObject;
use serde_json::json;

use super::server::{number, text};

/// The customers, by tenant and number.
pub(crate) struct Crm(BTreeMap<(String, i64), Customer>);

struct Customer {
    name: &'static str,
    refunded: i64,
}

impl Crm {
    pub(crate) fn new() -> Self {
        let customer = |(tenant, id, name): &(&str, i64, &'static str)| {
            let customer = Customer { name, refunded: 0 };
            (((*tenant).to_owned(), *id), customer)
        };
        Self(CUSTOMERS.iter().map(customer).collect())
    }

    pub(super) fn call(&mut self, tool: &str, arguments: &JsonObject) -> Result<String, String> {
        if tool == "list_plans" {
            return Ok(json!(["free", "team", "enterprise"]).to_string());
        }
        let tenant = text(arguments, "tenant")?;
        if tool == "search_customers" {
            let part = text(arguments, "name")?;
            return Ok(self.search(tenant, part));
        }
        let key = (tenant.to_owned(), number(arguments, "id")?);
        let customer = self.0.get_mut(&key).ok_or("no such customer")?;
        match tool {
            "get_customer" => {}
            "refund" => customer.refunded += number(arguments, "amount")?,
            "delete_customer" => {
                self.0.remove(&key);
                return Ok("deleted".to_owned());
            }
            other => return Err(format!("no code for `{other}`")),
        }
        Ok(
            json!({ "id": key.1, "name": customer.name, "refunded": customer.refunded })
                .to_string(),
        )
    }

    fn search(&self, tenant: &str, part: &str) -> String {
        let found = self.0.iter();
        let found =
            found.filter(|((owner, _), customer)| owner == tenant && customer.name.contains(part));
        json!(
            found
                .map(|((_, id), customer)| json!({ "id": id, "name": customer.name }))
                .collect::<Vec<_>>()
        )
        .to_string()
    }
}

const CUSTOMERS: [(&str, i64, &str); 4] = [
    ("acme", 7, "Ada"),
    ("acme", 8, "Grace"),
    ("umbrella", 7, "Alan"),
    ("umbrella", 9, "Barbara"),
];
