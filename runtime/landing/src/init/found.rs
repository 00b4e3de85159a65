//! The command that tests a repository, by the files of its top folder. Only what is one plain command is found: whoever
//! has to configure and build first says it with `--gate`.

/// The commands, each with the file that says so. `read` gives a file of the top folder.
pub(super) fn find(read: impl FnMut(&str) -> Option<Vec<u8>>) -> Vec<(&'static str, &'static str)> {
    let mut top = Top { read };
    let languages = [top.rust(), top.go(), top.node(), top.python(), top.jvm(), top.ruby(), top.elixir(), top.php()];
    let found: Vec<_> = languages.into_iter().flatten().collect();
    if found.is_empty() { top.recipes().into_iter().collect() } else { found }
}

/// A command and the file that it is found by.
type Found = Option<(&'static str, &'static str)>;

struct Top<R> {
    read: R,
}

impl<R: FnMut(&str) -> Option<Vec<u8>>> Top<R> {
    fn text(&mut self, path: &str) -> Option<String> {
        (self.read)(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn has(&mut self, path: &str) -> bool {
        (self.read)(path).is_some()
    }

    fn says(&mut self, path: &str, words: &[&str]) -> bool {
        self.text(path).is_some_and(|text| words.iter().any(|word| text.contains(word)))
    }

    fn first(&mut self, paths: &[&'static str]) -> Option<&'static str> {
        paths.iter().find(|path| self.has(path)).copied()
    }

    fn rust(&mut self) -> Found {
        self.first(&["Cargo.toml"]).map(|file| ("cargo test --workspace", file))
    }

    fn go(&mut self) -> Found {
        self.first(&["go.mod"]).map(|file| ("go test ./...", file))
    }

    fn node(&mut self) -> Found {
        if !self.says("package.json", &["\"test\""]) {
            return None;
        }
        let locks = ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb", "package-lock.json"];
        let line = match self.first(&locks) {
            Some("pnpm-lock.yaml") => "pnpm install --frozen-lockfile && pnpm test",
            Some("yarn.lock") => "yarn install --frozen-lockfile && yarn test",
            Some("package-lock.json") => "npm ci --no-audit --no-fund && npm test",
            Some(_) => "bun install --frozen-lockfile && bun test",
            None => "npm test",
        };
        Some((line, "package.json"))
    }

    fn python(&mut self) -> Found {
        let settings = self.says("pyproject.toml", &["pytest"])
            || self.says("setup.cfg", &["pytest"])
            || self.says("tox.ini", &["[pytest]"]);
        if settings || self.first(&["pytest.ini", "conftest.py"]).is_some() {
            return Some(("python3 -m pytest -q", "its pytest settings"));
        }
        self.says("tox.ini", &["[tox]", "[testenv"]).then_some(("tox", "tox.ini"))
    }

    fn jvm(&mut self) -> Found {
        if self.has("pom.xml") {
            return Some(if self.has("mvnw") { ("./mvnw -q test", "mvnw") } else { ("mvn -q test", "pom.xml") });
        }
        let wrapped = self.first(&["gradlew"]).map(|file| ("./gradlew test", file));
        wrapped.or_else(|| self.first(&["build.gradle", "build.gradle.kts"]).map(|file| ("gradle test", file)))
    }

    fn ruby(&mut self) -> Found {
        let bundled = self.has("Gemfile");
        if let Some(file) = self.first(&[".rspec"]).or_else(|| self.says("Gemfile", &["rspec"]).then_some("Gemfile")) {
            return Some((if bundled { "bundle exec rspec" } else { "rspec" }, file));
        }
        let tested = self.says("Rakefile", &["TestTask", "task :test", "task test", "task \"test\"", "task 'test'"]);
        tested.then_some((if bundled { "bundle exec rake test" } else { "rake test" }, "Rakefile"))
    }

    fn elixir(&mut self) -> Found {
        self.first(&["mix.exs"]).map(|file| ("mix test", file))
    }

    fn php(&mut self) -> Found {
        self.says("composer.json", &["\"test\""]).then_some(("composer test", "composer.json"))
    }

    /// Where nothing else is known: what somebody has written down to be called.
    fn recipes(&mut self) -> Found {
        let makefiles = ["GNUmakefile", "makefile", "Makefile"];
        let justfiles = ["justfile", "Justfile", ".justfile"];
        for (files, recipe, line) in [
            (makefiles, "test", "make test"),
            (makefiles, "check", "make check"),
            (justfiles, "test", "just test"),
            (justfiles, "check", "just check"),
        ] {
            // The first that is there is the one that is read.
            let Some(file) = self.first(&files) else { continue };
            let parameters = files == justfiles;
            if self.text(file).is_some_and(|text| text.lines().any(|text| makes(text, recipe, parameters))) {
                return Some((line, file));
            }
        }
        None
    }
}

/// Whether a line begins the recipe of that name: `test: all`, `test :`, `lint test:`; `parameters`: or `@test *words:`.
fn makes(line: &str, recipe: &str, parameters: bool) -> bool {
    let Some((head, rest)) = line.split_once(':').filter(|(head, _)| !head.contains('#')) else { return false };
    if line.starts_with(char::is_whitespace) || rest.starts_with('=') || rest.starts_with(":=") || head.contains('=') {
        return parameters && makes_with_defaults(line, recipe);
    }
    match parameters {
        true => head.split_whitespace().next().is_some_and(|name| name.trim_start_matches('@') == recipe),
        false => head.split_whitespace().any(|name| name == recipe),
    }
}

/// `test words="all":`.
fn makes_with_defaults(line: &str, recipe: &str) -> bool {
    let rest = line.trim_start_matches('@').strip_prefix(recipe);
    rest.is_some_and(|rest| rest.starts_with(' ') && !rest.trim_start().starts_with(":=") && rest.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn found(files: &[(&str, &str)]) -> Vec<&'static str> {
        let files: BTreeMap<&str, &str> = files.iter().copied().collect();
        find(|path| files.get(path).map(|text| text.as_bytes().to_vec())).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn the_command_is_found_by_what_the_repository_says() {
        for (files, lines) in [
            (&[("Cargo.toml", "")][..], &["cargo test --workspace"][..]),
            (&[("package.json", "{\"scripts\":{\"test\":\"x\"}}")], &["npm test"]),
            (&[("package.json", "{}")], &[]),
            (
                &[("Cargo.toml", ""), ("go.mod", ""), ("Makefile", "\ntest:\n")],
                &["cargo test --workspace", "go test ./..."],
            ),
            (&[("pyproject.toml", "[tool.pytest.ini_options]")], &["python3 -m pytest -q"]),
            (&[("tox.ini", "[testenv]\ncommands = x\n")], &["tox"]),
            (&[("gradlew", ""), ("build.gradle", "")], &["./gradlew test"]),
            (&[("build.gradle.kts", "")], &["gradle test"]),
            (&[("Gemfile", "gem 'rake'"), ("Rakefile", "Rake::TestTask.new")], &["bundle exec rake test"]),
            (&[("Gemfile", "gem 'rspec'"), ("Rakefile", "")], &["bundle exec rspec"]),
            (&[("mix.exs", "")], &["mix test"]),
            (&[("README", "")], &[]),
        ] {
            assert_eq!(found(files), lines, "{files:?}");
        }
    }

    #[test]
    fn a_recipe_is_found_wherever_it_stands_and_nothing_else_is_taken_for_one() {
        for (file, text, line) in [
            ("Makefile", "test:\n\ttrue\n", Some("make test")),
            ("Makefile", "all:\n\ntest: all\n", Some("make test")),
            ("Makefile", "test :\n\ttrue\n", Some("make test")),
            ("Makefile", "lint test::\n", Some("make test")),
            ("makefile", "check:\n\ttrue\n", Some("make check")),
            ("GNUmakefile", "all:\n\ncheck: all\n\ntest:\n", Some("make test")),
            ("Makefile", "test := a\ncheck ::= b\ntested:\n.PHONY: test\n\ttest: x\n# test:\n", None),
            ("justfile", "test:\n  true\n", Some("just test")),
            ("Justfile", "x := \"1\"\n@test words=\"all\" *more: x\n", Some("just test")),
            ("justfile", "check: x\n", Some("just check")),
            ("justfile", "test := \"x\"\nbuild test: x\n", None),
        ] {
            assert_eq!(found(&[(file, text)]), line.into_iter().collect::<Vec<_>>(), "{text:?}");
        }
    }
}
