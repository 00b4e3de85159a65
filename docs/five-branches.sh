#!/usr/bin/env bash
# Five agents have worked in five worktrees of one repository; two of them have changed the same line. Lands what can be landed.
# Usage: five-branches.sh FOLDER (must not exist). BATON names the program; by default it is built.
set -euo pipefail
place=$1
baton=${BATON:-cargo run --quiet --release --}
if [ -e "$place" ]; then echo "$place is there already" >&2; exit 2; fi
person=(-c user.name=Ana -c user.email=ana@example.invalid)
git init -q -b main "$place/repository"
repository=$(cd "$place/repository" && pwd)
printf 'one\ntwo\nthree\n' > "$repository/shared.txt"
git -C "$repository" add shared.txt
git -C "$repository" "${person[@]}" commit -q -m base
git -C "$repository" config user.name Ana
git -C "$repository" config user.email ana@example.invalid
for agent in 1 2 3 4 5; do
    worktree="$repository/../agent-$agent"
    git -C "$repository" worktree add -q -b "agent-$agent" "$worktree"
    echo "by agent $agent" > "$worktree/agent-$agent.txt"
    if [ "$agent" = 2 ] || [ "$agent" = 4 ]; then sed -i "s/two/two by agent $agent/" "$worktree/shared.txt"; fi
    git -C "$worktree" add --all
    git -C "$worktree" commit -q -m "work of agent $agent"
done
# The gate stands for a test of one second. One branch is refused, which is exit code 1.
status=0
$baton land --all --hand-back --gate 'sleep 1; test -e shared.txt' --repo "$repository" || status=$?
[ "$status" = 1 ]
echo
cat "$repository/../agent-4/.baton/refused.md"
git -C "$repository" log --oneline --graph
