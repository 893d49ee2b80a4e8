//! Which repository stands for Maven Central: the variable, then the user's mirror of it, then Central itself.

use std::path::PathBuf;

/// Maven Central.
pub const CENTRAL: &str = "https://repo1.maven.org/maven2";

/// The repository's address as this machine and user have it, without a slash at the end.
pub fn of_this_machine() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let settings = std::fs::read_to_string(home.join(".m2/settings.xml")).unwrap_or_default();
    choose(&variable, &settings)
}

/// `EMBERYARD_MAVEN_URL`, else the mirror that the settings' text has for Central, else Central.
fn choose(variable: &dyn Fn(&str) -> Option<String>, settings: &str) -> String {
    let base = variable("EMBERYARD_MAVEN_URL")
        .or_else(|| mirror(settings).and_then(|url| interpolated(&url, variable)))
        .unwrap_or_else(|| CENTRAL.to_owned());
    base.trim_end_matches('/').to_owned()
}

/// The mirror of Central: one that names it, else the first whose pattern takes it in. The order is Maven's own.
fn mirror(settings: &str) -> Option<String> {
    let text = without_comments(settings);
    let mirrors: Vec<(String, String)> = elements(&text, "mirror")
        .filter(|mirror| elements(mirror, "blocked").next() != Some("true"))
        .filter_map(|mirror| {
            let element = |name| elements(mirror, name).next().map(unescaped);
            Some((element("mirrorOf")?, element("url")?))
        })
        .filter(|(_, url)| url.starts_with("http://") || url.starts_with("https://") || url.starts_with("${"))
        .collect();
    let named = mirrors.iter().find(|(of, _)| of == "central");
    named.or_else(|| mirrors.iter().find(|(of, _)| takes_central(of))).map(|(_, url)| url.clone())
}

/// Does a list of patterns (`*,!central`, `external:*`) take in Central, which is reached by https and is not local?
fn takes_central(patterns: &str) -> bool {
    let mut patterns = patterns.split(',').map(str::trim);
    !patterns.clone().any(|pattern| pattern == "!central")
        && patterns.any(|pattern| matches!(pattern, "*" | "central" | "external:*"))
}

/// With `${env.NAME}` replaced; none where such a variable is not set or something else is asked for.
fn interpolated(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&variable(name.strip_prefix("env.")?)?);
        rest = after;
    }
    Some(out + rest)
}

/// The contents of all elements `name` at any depth; enough for a file in which none holds another of its name.
fn elements<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let end = format!("</{name}>");
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(&format!("<{name}"))? + 1 + name.len();
            rest = &rest[start..];
            // `<mirrors>` and `<mirrorOf>` begin like `<mirror>`.
            if rest.starts_with(|c: char| c == '>' || c.is_whitespace()) {
                let (_, content) = rest.split_once('>')?;
                let (content, after) = content.split_once(&end)?;
                rest = after;
                return Some(content.trim());
            }
        }
    })
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.filter_map(|part| part.split_once("-->")).fold(first, |all, (_, after)| all + after)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], settings: &str) -> String {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(&variable, settings)
    }

    fn mirrors(list: &[(&str, &str)]) -> String {
        let one = |(of, url): &(&str, &str)| {
            format!("<mirror>\n <id>x</id><mirrorOf>{of}</mirrorOf>\n <url> {url} </url></mirror>")
        };
        format!("<settings><mirrors>{}</mirrors></settings>", list.iter().map(one).collect::<String>())
    }

    #[test]
    fn the_variable_before_the_settings_before_central() {
        assert_eq!(chosen(&[], ""), CENTRAL);
        let settings = mirrors(&[("central", "https://a/m2/")]);
        assert_eq!(chosen(&[], &settings), "https://a/m2");
        assert_eq!(chosen(&[("EMBERYARD_MAVEN_URL", "http://b/c/")], &settings), "http://b/c");
    }

    #[test]
    fn mirrors_are_chosen_as_maven_does() {
        assert_eq!(chosen(&[], &mirrors(&[("*", "https://all"), ("central", "https://own")])), "https://own");
        assert_eq!(chosen(&[], &mirrors(&[("other", "https://o"), ("x, external:*", "https://e")])), "https://e");
        assert_eq!(chosen(&[], &mirrors(&[("*,!central", "https://no"), ("external:http:*", "https://no")])), CENTRAL);
        assert_eq!(chosen(&[], &mirrors(&[("*", "file:///srv/m2")])), CENTRAL);
    }

    #[test]
    fn comments_variables_and_blocked_mirrors() {
        let commented = format!("<!-- {} -->", mirrors(&[("*", "https://no")]));
        assert_eq!(chosen(&[], &commented), CENTRAL);
        let blocked = "<mirror><mirrorOf>*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</blocked></mirror>";
        assert_eq!(chosen(&[], blocked), CENTRAL);
        let variable = mirrors(&[("*", "https://${env.REPO}/m2?a=1&amp;b=2")]);
        assert_eq!(chosen(&[("REPO", "host")], &variable), "https://host/m2?a=1&b=2");
        assert_eq!(chosen(&[], &variable), CENTRAL);
    }
}
