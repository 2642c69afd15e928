#!/bin/sh
# A tiny MCP server on stdio with two tools: `look` (read-only) and `note`, which writes its text to a file.
notes="$1"
while IFS= read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9][0-9]*\).*/\1/p')
  [ -n "$id" ] || continue
  case "$line" in
    *'"method":"initialize"'*) version=$(printf '%s' "$line" | sed -n 's/.*"protocolVersion":"\([^"]*\)".*/\1/p')
      result="{\"protocolVersion\":\"$version\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"notes\",\"version\":\"1\"}}" ;;
    *'"method":"tools/list"'*) result='{"tools":[{"name":"add_note","description":"Notes a text.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}},{"name":"look","description":"Reads the notes.","inputSchema":{"type":"object","properties":{}}}]}' ;;
    *'"name":"add_note"'*) echo noted >> "$notes"; result='{"content":[{"type":"text","text":"noted"}]}' ;;
    *'"method":"tools/call"'*) result='{"content":[{"type":"text","text":"nothing noted"}]}' ;;
    *) result='{}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
