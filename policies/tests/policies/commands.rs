//! Attacks through the shell, as data: what a lane might try, and what becomes of it.

use crate::ground::{A, D, Ground, P, ground, narrow, rules, wide};
use crate::hidden::HIDDEN;
use baton_policies::{Action, Decision, Policy};

#[track_caller]
fn check(policy: &Policy, ground: &Ground, cases: &[(&str, Decision)]) {
    let judged = cases.iter().map(|(text, expected)| (text, policy.judge(&Action::Bash(text), ground), expected));
    let wrong: Vec<String> = judged
        .filter(|(_, verdict, expected)| verdict.decision != **expected)
        .map(|(text, verdict, expected)| format!("{text:?}: {verdict:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plain_commands_are_what_the_rules_say() {
    check(
        &narrow(),
        &ground(false),
        &[
            ("git log", A),
            ("git log --oneline -5", A),
            ("git logs", D),
            ("git", D),
            ("git push", D),
            ("git push origin main", D),
            ("cargo test", A),
            ("cargo test --release", D),
            ("cargo publish", D),
            ("rm notes/x", P),
            ("git log; rm x", P),
            ("git log; rm x; git push", D),
            ("git log && git status | cat", A),
            ("git log && curl x", D),
            ("", D),
            ("   \n # nothing", D),
            ("/usr/bin/git log", A),
            ("./git log", D),
            ("/tmp/git log", D),
            ("./check.sh --all", A),
            ("check.sh", D),
            ("git  \t log", A),
            ("git log \\\n --oneline", A),
            ("git log # and git push", A),
            ("if git status; then git log; else echo no; fi", A),
            ("for f in a b; do echo $f; done", A),
            ("for f in a b; do cat $f; done", D),
            ("while true; do git log; done", A),
            ("case $x in a|b) git log;; *) echo;; esac", A),
            ("{ git log; git status; }", A),
            ("(git log; git status)", A),
            ("! git status", A),
            ("time git log", A),
            ("[ -f x ] && git log", A),
            ("x=$(git log); echo $x", A),
            ("echo \"$(git log)\" `git status`", A),
            ("LC_ALL=C git log", A),
            ("env LC_ALL=C git log", A),
            ("timeout 5 git log", A),
            ("nice -n 5 git log", A),
            ("git --no-pager log", A),
            ("git -C notes log", A),
            ("git -c user.name=x commit -m y", A),
            ("git commit -m \"$(cat <<'E'\nit's; git push\nE\n)\"", A),
            ("cat <<E\nplain $x\nE\ngit log", A),
            ("find . -name '*.rs' -exec cat {} \\;", A),
            ("find . -name x -print", A),
            ("echo 'git push; $(git push)'", A),
            ("echo git push", A),
            ("bash -c 'git log && git status'", A),
            ("echo x 2>&1 >/dev/null", A),
            ("git log 2>/dev/null | cat", A),
        ],
    );
}

#[test]
fn a_denied_command_is_found_wherever_it_hides() {
    let cases: Vec<(&str, Decision)> = HIDDEN.iter().map(|text| (*text, D)).collect();
    check(&narrow(), &ground(false), &cases);
    check(&wide(), &ground(false), &cases);
}

#[test]
fn what_is_uncertain_is_allowed_only_by_bash_alone() {
    let free = Policy { deny: Vec::new(), approve: Vec::new(), allow: rules(&["Bash"]), ..narrow() };
    let waits = Policy { approve: rules(&["Bash(git push:*)"]), ..free.clone() };
    for text in [
        "$X",
        "g*t log",
        "[[ -f x ]]",
        "eval $X",
        "f() { true; }; f",
        "FOO=1 PATH=x ls",
        "git -c core.pager=x log",
        "echo \"unclosed",
        "alias x=y",
        "echo $((x+1))",
        "sh",
    ] {
        check(&narrow(), &ground(false), &[(text, D)]);
        check(&free, &ground(false), &[(text, A)]);
        check(&waits, &ground(false), &[(text, P)]);
    }
    check(
        &narrow(),
        &ground(false),
        &[
            ("FOO=1 git log", D),
            ("FOO=1; git log", D),
            ("foo=1; git log", A),
            ("for PATH in x; do git log; done", D),
            ("git -C /etc log", D),
            ("git -C exit log", D),
            ("git log --output=x", D),
            ("git log --outp x", D),
            ("git fetch ext::sh", D),
            ("git fetch --upload-pack=x y", D),
            ("find . -delete", D),
            ("find . $X", D),
            ("find . -fprint x", D),
            ("sudo git log", D),
            ("cd /etc && cat passwd", D),
            ("cd exit && cat x", D),
            ("cd $X && cat x", D),
            ("cd", D),
        ],
    );
}

#[test]
fn a_redirection_is_a_write_or_a_read() {
    check(
        &narrow(),
        &ground(false),
        &[
            ("echo x > notes/file", A),
            ("echo x >> notes/file", A),
            ("echo x >notes/file 2>&1", A),
            ("echo x > file", D),
            ("echo x >> file", D),
            ("echo x >| file", D),
            ("echo x 2> file", D),
            ("echo x 2>file", D),
            ("echo x &> file", D),
            ("echo x &>> file", D),
            ("echo x >& file", D),
            ("echo x <> file", D),
            ("> file", D),
            ("> file echo x", D),
            ("echo x > notes/../file", D),
            ("echo x > /etc/passwd", D),
            ("echo x > /dev/tcp/a/1", D),
            ("echo x > $F", D),
            ("echo x > notes/$F", D),
            ("echo x > ~/x", D),
            ("echo x > notes/*", D),
            ("echo x > notes/keys/id", D),
            ("echo x > notes/out/passwd", D),
            ("echo x > notes/.git/config", D),
            ("echo x > \"notes/file\"", A),
            ("echo x > 'file'", D),
            ("(echo x) > file", D),
            ("{ echo x; } > file", D),
            ("if true; then echo x; fi > file", D),
            ("for f in a; do echo x; done >> file", D),
            ("sh -c 'echo x > file'", D),
            ("echo $(echo x > file)", D),
            ("cat < src/x", A),
            ("cat < /etc/passwd", D),
            ("cat < notes/keys/id", D),
            ("cat <<< x", A),
            ("cd notes && echo x > file", A),
            ("cd src && echo x > file", D),
            ("cd notes && cd .. && echo x > file", D),
            ("cd notes; echo x > file", D),
            ("cd notes || echo x > notes/file", D),
            ("cd notes && true; echo x > file", D),
            ("(cd src && true); echo x > notes/file", A),
            ("cd notes & echo x > file", D),
            ("true || cd notes && echo x > file", D),
            ("! cd notes && echo x > file", D),
            ("while true; do echo x > notes/f; cd notes && true; done", D),
            ("{ cd notes && true; } > file", D),
            ("cd notes &>/dev/null && echo x > file", D),
            ("cd notes && true &>/dev/null && echo x > file", D),
            ("echo x &>/dev/null && echo x > notes/file", A),
            ("pushd notes && echo x > file", D),
            ("cd src/notes && echo x > file", D),
            ("eval 'cd src' && echo x > f", D),
            ("eval 'cd notes' && echo x > f", A),
            ("true || eval 'cd notes' && echo x > f", D),
            ("cd src && echo x > ../notes/file", A),
            ("echo x >! notes/file", D),
            ("echo x > notes/file; git push", D),
            ("cat <<E > file\nx\nE", D),
            ("cat <<E > notes/file\nx\nE", A),
        ],
    );
}

#[test]
fn what_is_too_large_is_denied_by_everyone() {
    let free = Policy { allow: rules(&["Bash"]), ..Policy::default() };
    let nested = |levels: usize| format!("{}true{}", "$(".repeat(levels), ")".repeat(levels));
    let quick = [
        "echo ".to_owned() + &"x".repeat(65_536),
        nested(33).replacen("$(", "echo $(", 1),
        "(".repeat(40) + "true" + &")".repeat(40),
        "sudo ".repeat(40) + "ls",
        "(".repeat(60_000),
        "$(".repeat(30_000),
    ];
    for text in &quick {
        assert_eq!(free.judge(&Action::Bash(text), &ground(false)).decision, D, "{}", &text[..20]);
    }
    assert_eq!(free.judge(&Action::Bash(&"`".repeat(60_000)), &ground(false)).decision, A, "empty ones, side by side");
    let most = format!("echo {}", nested(20));
    assert_eq!(free.judge(&Action::Bash(&most), &ground(false)).decision, A);
}

#[test]
fn what_a_command_names_in_its_arguments_is_read_by_it() {
    let kept = [
        ("cat notes/keys/id", D),
        ("cat ./notes//keys/id", D),
        ("cat notes/x/../keys/id", D),
        ("cat 'notes/keys'/id", D),
        ("cat notes/secret", D),
        ("cat src/notes/keys/id", D),
        ("cd notes && cat keys/id", D),
        ("cd notes/keys && cat id", D),
        ("cat /srv/repo/notes/keys/id", D),
        ("cat notes/keys/*", D),
        ("cat notes/keys/$X", D),
        ("git log -p -- notes/keys/id", D),
        ("git log HEAD:notes/keys/id", D),
        ("git commit --file=notes/keys/id", D),
        ("echo $(cat notes/keys/id)", D),
        ("sh -c 'cat notes/keys/id'", D),
        ("true | xargs cat notes/keys/id", D),
        ("find notes -exec cat notes/keys/id ;", D),
        ("cat notes/x src/y README.md", A),
        ("cat -n notes/x", A),
        ("cat < notes/x - /dev/null", A),
    ];
    check(&narrow(), &ground(false), &kept);
    check(&Policy { allow: rules(&["Bash", "Read"]), ..narrow() }, &ground(false), &kept);
    check(
        &narrow(),
        &ground(false),
        &[
            ("cat Cargo.toml", D),
            ("cat ../x", D),
            ("cat /etc/passwd", D),
            ("cat notes/out/passwd", D),
            ("cd notes && cat ../Cargo.toml", D),
            ("cat NOTES/x", D),
            ("cat SECRET~1", D),
            ("echo Cargo.toml", A),
        ],
    );
    check(&narrow(), &ground(true), &[("cat NOTES/KEYS/id", D), ("cat Notes/x", A)]);
}

/// What the shell makes another path of is no way past a boundary; what is quoted is plain text.
#[test]
fn an_argument_that_the_shell_makes_other_paths_of_is_uncertain_at_a_boundary() {
    use baton_policies::Reason;
    let cases = [
        ("cat ~/.ssh/id", D),
        ("cat ~root/.ssh/id", D),
        ("cat {/etc/passwd,notes/a}", D),
        ("cat notes/{a,../../x}", D),
        ("cat /et[c]/passwd", D),
        ("cat /etc/pass*", D),
        ("cat $HOME/.ssh/id", D),
        ("cat \"$HOME\"/.ssh/id", D),
        ("cat ${HOME}/x", D),
        ("cat `echo /etc/passwd`", D),
        ("cat src/*/../../x", D),
        ("cat src/.*/x", D),
        ("cat ../*", D),
        ("cat *", D),
        ("cat Cargo.t*", D),
        ("cat notes/*", D),
        ("cat no?es/keys/id", D),
        ("cat src/*.rs", A),
        ("cat ./src/x/[a-c].rs", A),
        ("cd src && cat *.rs", A),
        ("cat 'src/*.rs'", A),
        ("cat 'src/$HOME' 'src/{a,b}' 'src/~'", A),
        ("echo ~ $HOME {a,b} *", A),
    ];
    check(&narrow(), &ground(false), &cases);
    check(
        &Policy { allow: rules(&["Bash", "Read"]), deny: rules(&["Read(notes/keys/**)"]), ..narrow() },
        &ground(false),
        &cases,
    );
    let verdict = narrow().judge(&Action::Bash("cat ~/.ssh/id"), &ground(false));
    assert!(matches!(verdict.reason, Reason::Uncertain(_)), "{verdict:?}");
    let free = Policy { may_read: Vec::new(), deny: Vec::new(), ..narrow() };
    check(&free, &ground(false), &[("cat ~/x $Y {a,b} /etc/*", A)]);
    let allow = rules(&["Bash(tee:*)", "Bash(cp:*)", "Bash(dd:*)", "Write"]);
    let writes = Policy { allow, approve: Vec::new(), deny: rules(&["Write(notes/keys/**)"]), ..narrow() };
    check(
        &writes,
        &ground(false),
        &[
            ("tee ~/x", D),
            ("tee $X", D),
            ("tee notes/{a,../../x}", D),
            ("tee notes/*", D),
            ("tee notes/x/*", A),
            ("cp $X src/x", D),
            ("cp notes/a $X", D),
            ("dd of=$X", D),
            ("tee 'notes/{a,b}'", A),
        ],
    );
}

#[test]
fn a_denial_names_what_decided_and_not_a_rule_that_merely_might_have() {
    use baton_policies::Reason;
    let pushes = Policy { deny: rules(&["Push"]), ..wide() };
    for policy in [&narrow(), &wide(), &pushes] {
        for text in ["bash", "$X", "eval $X", "sh -s", "git -c core.pager=x log", "alias x=y", "echo \"unclosed"] {
            let verdict = policy.judge(&Action::Bash(text), &ground(false));
            assert_eq!(verdict.decision, D, "{text}");
            assert!(!matches!(verdict.reason, Reason::Rule { .. }), "{text}: {verdict:?}");
        }
        let pushed = policy.judge(&Action::Bash("cd . && git push"), &ground(false));
        assert!(matches!(pushed.reason, Reason::Rule { .. }), "{pushed:?}");
    }
    let none = Policy { deny: rules(&["Bash"]), ..wide() };
    let verdict = none.judge(&Action::Bash("$X"), &ground(false));
    assert!(matches!(verdict.reason, Reason::Rule { .. }), "every command is denied, this one too: {verdict:?}");
}

#[test]
fn what_a_command_names_to_write_is_written_by_it() {
    let allow =
        rules(&["Bash(tee:*)", "Bash(cp:*)", "Bash(sed:*)", "Bash(dd:*)", "Bash(touch:*)", "Bash(git:*)", "Write"]);
    let policy = Policy { allow, approve: Vec::new(), deny: rules(&["Push", "Write(notes/keys/**)"]), ..narrow() };
    check(
        &policy,
        &ground(false),
        &[
            ("tee notes/x", A),
            ("tee -a src/x", D),
            ("true | tee src/x", D),
            ("tee notes/x src/x", D),
            ("cp src/x notes/x", A),
            ("cp notes/x src/x", D),
            ("cp notes/x notes/keys/id", D),
            ("sed -i s/a/b/ src/x", D),
            ("sed -i s/a/b/ notes/x", A),
            ("dd if=src/x of=notes/x", A),
            ("dd of=src/x", D),
            ("touch ../x", D),
            ("touch /etc/x", D),
            ("touch notes/out/x", D),
            ("git send-pack x", D),
            ("git config alias.p push", D),
            ("git config core.pager x", D),
            ("git config user.name x", A),
            ("git log", A),
        ],
    );
}
