#!/bin/sh
# A tiny MCP server on stdio with two tools: `look` (read-only) and `add_note`, which writes to a file.
# With `asks` as its second argument it has two more, which ask the person before they end: `ask_form`
# for fields of a form, `ask_page` to open an address. What is answered goes into the file.
notes="$1"
tools='{"name":"add_note","description":"Notes a text.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}},{"name":"look","description":"Reads the notes.","inputSchema":{"type":"object","properties":{}}}'
if [ "$2" = asks ]; then
  tools="$tools"',{"name":"ask_form","description":"Asks.","inputSchema":{"type":"object","properties":{}}},{"name":"ask_page","description":"Asks.","inputSchema":{"type":"object","properties":{}}}'
fi
form='"mode":"form","message":"About the note","requestedSchema":{"type":"object","properties":{"title":{"type":"string","title":"Title"},"colour":{"type":"string","enum":["red","blue"]},"urgent":{"type":"boolean"}},"required":["title"]}'
page='"mode":"url","message":"Sign in to the notes","url":"https://notes.invalid/sign-in","elicitationId":"e1"'

# Asks the person, and waits for what comes next, which is the answer.
ask() {
  printf '{"jsonrpc":"2.0","id":900,"method":"elicitation/create","params":{%s}}\n' "$1"
  IFS= read -r answer
  printf '%s\n' "$answer" >> "$notes"
  result='{"content":[{"type":"text","text":"asked"}]}'
}

while IFS= read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9][0-9]*\).*/\1/p')
  [ -n "$id" ] || continue
  case "$line" in
    *'"method":"initialize"'*) version=$(printf '%s' "$line" | sed -n 's/.*"protocolVersion":"\([^"]*\)".*/\1/p')
      result="{\"protocolVersion\":\"$version\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"notes\",\"version\":\"1\"}}" ;;
    *'"method":"tools/list"'*) result="{\"tools\":[$tools]}" ;;
    *'"name":"ask_form"'*) ask "$form" ;;
    *'"name":"ask_page"'*) ask "$page" ;;
    *'"name":"add_note"'*) echo noted >> "$notes"; result='{"content":[{"type":"text","text":"noted"}]}' ;;
    *'"method":"tools/call"'*) result='{"content":[{"type":"text","text":"nothing noted"}]}' ;;
    *) result='{}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
