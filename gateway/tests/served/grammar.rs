//! A strict reader of `WWW-Authenticate` (RFC 9110 section 11.6.1). Forgives nothing that the grammar forbids.

/// One challenge of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    pub(crate) parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The challenges of one field line; `None` when it is not of the grammar, names a parameter twice, or has
/// a value that RFC 6750 section 3 forbids.
pub(crate) fn challenges(line: &str) -> Option<Vec<Challenge>> {
    let mut rest = Rest(line);
    let mut found = vec![rest.scheme()?];
    while !rest.0.is_empty() {
        rest.comma()?;
        let mut ahead = Rest(rest.0);
        let Some((name, value)) = ahead.parameter() else {
            found.push(rest.scheme()?);
            continue;
        };
        rest = ahead;
        let challenge = found.last_mut()?;
        if challenge.parameter(&name).is_some() {
            return None;
        }
        challenge.parameters.push((name, value));
    }
    let lawful = |value: &str| value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    found
        .iter()
        .flat_map(|challenge| &challenge.parameters)
        .all(|(_, value)| lawful(value) && !value.contains(['"', '\\']))
        .then_some(found)
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// `auth-scheme [ 1*SP auth-param ]`.
    fn scheme(&mut self) -> Option<Challenge> {
        let scheme = self.token()?;
        let mut parameters = Vec::new();
        if self.0.starts_with(' ') {
            self.0 = self.0.trim_start_matches(' ');
            parameters.push(self.parameter()?);
        }
        Some(Challenge { scheme, parameters })
    }

    /// `token BWS "=" BWS ( token / quoted-string )`. We send no bad white space, so none is read.
    fn parameter(&mut self) -> Option<(String, String)> {
        let name = self.token()?.to_ascii_lowercase();
        self.0 = self.0.strip_prefix('=')?;
        let value = if self.0.starts_with('"') {
            self.quoted()?
        } else {
            self.token()?
        };
        Some((name, value))
    }

    fn token(&mut self) -> Option<String> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let end = self.0.bytes().position(|byte| !is_token(byte));
        let (token, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        (!token.is_empty()).then(|| token.to_owned())
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.0.strip_prefix('"')?.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = self.0.get(at + 2..)?;
                    return Some(text);
                }
                '\\' => text.push(characters.next()?.1),
                '\t' | ' '..='~' => text.push(character),
                _ => return None,
            }
        }
        None
    }

    /// `OWS "," OWS` with nothing empty on either side.
    fn comma(&mut self) -> Option<()> {
        let ows = [' ', '\t'];
        self.0 = self.0.trim_start_matches(ows).strip_prefix(',')?;
        self.0 = self.0.trim_start_matches(ows);
        (!self.0.is_empty()).then_some(())
    }
}

#[test]
fn the_reader_takes_the_grammar_and_nothing_else() {
    let read = challenges(r#"Bearer error="x", scope="a b", DPoP algs="ES256""#).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].parameter("scope"), Some("a b"));
    assert_eq!(read[1].scheme, "DPoP");
    for wrong in [
        "",
        "Bearer ",
        "Bearer error=",
        r#"Bearer error="x"#,
        r#"Bearer error="x" scope="y""#,
        r#"Bearer error="x","#,
        r#"Bearer error="x",, scope="y""#,
        r#"Bearer error="x", error="y""#,
        r#"Bearer error="a\"b""#,
        "Bearer error=\"a\nb\"",
        r#"Bearer, error"="x""#,
    ] {
        assert_eq!(challenges(wrong), None, "{wrong}");
    }
}
