#!/bin/sh
# Claude Code's status line: what you have spent today, and what is left. See https://code.claude.com/docs/en/statusline
#
#   curl -o ~/.claude/tollgate-statusline.sh "$ANTHROPIC_BASE_URL/static/accounting/statusline.sh"
#   ~/.claude/settings.json:  "statusLine": {"type": "command", "command": "sh ~/.claude/tollgate-statusline.sh"}
#
# Reads the session's JSON on standard input and prints one line. Of what it reads it sends the session's id alone. It
# asks the gateway at most every TOLLGATE_STATUSLINE_SECONDS (10), and prints the last line it has where that fails.

input=$(cat)
session=$(printf '%s' "$input" | sed -n 's/.*"session_id"[[:space:]]*:[[:space:]]*"\([A-Za-z0-9_-]*\)".*/\1/p' | head -n 1)
url=${ANTHROPIC_BASE_URL:-}
token=${ANTHROPIC_AUTH_TOKEN:-${ANTHROPIC_API_KEY:-}}
[ -n "$url" ] && [ -n "$token" ] || { echo "tollgate: set ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN"; exit 0; }

folder=${XDG_CACHE_HOME:-$HOME/.cache}/tollgate
mkdir -p "$folder" && chmod 700 "$folder"
kept=$folder/statusline-${session:-none}
now=$(date +%s)
asked=$(cat "$kept.at" 2>/dev/null || echo 0)

if [ $((now - asked)) -ge "${TOLLGATE_STATUSLINE_SECONDS:-10}" ]; then
    echo "$now" >"$kept.at"
    find "$folder" -name 'statusline-*' -mtime +7 -exec rm -f {} +  # of sessions that are long over
    # The key goes in by standard input: arguments can be read by everybody on the machine.
    line=$(printf 'header = "authorization: Bearer %s"\n' "$token" | curl --silent --fail --max-time 2 --config - \
        --get --data format=txt ${session:+--data "session_id=$session"} "${url%/}/api/statusline") &&
        printf '%s\n' "$line" >"$kept"
fi
head -n 1 "$kept" 2>/dev/null || echo "tollgate: no answer from $url"
