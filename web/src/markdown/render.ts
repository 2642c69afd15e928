// Markdown to sanitised HTML. Nothing is loaded from elsewhere: an image becomes a link to it.

import DOMPurify from "dompurify";
import { Marked } from "marked";

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    image({ href, text }) {
      return `<a href="${escape(href)}">${escape(text || href)}</a>`;
    },
    // HTML of the agent is text, not structure: what it means to show, it can say in markdown.
    html({ text }) {
      return escape(text);
    },
    checkbox({ checked }) {
      return `<input type="checkbox" disabled${checked ? " checked" : ""} aria-label="${checked ? "Done" : "To do"}"> `;
    },
    table(token) {
      const cell = (tag: string, c: { tokens: never[]; align: string | null }) =>
        `<${tag}${c.align ? ` align="${c.align}"` : ""}>${this.parser.parseInline(c.tokens)}</${tag}>`;
      const head = token.header.map((c) => cell("th", c as never)).join("");
      const rows = token.rows.map((row) => `<tr>${row.map((c) => cell("td", c as never)).join("")}</tr>`).join("");
      return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
    },
  },
});

const DIRECTED = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "BLOCKQUOTE", "TH", "TD"]);

const ALLOWED = {
  ALLOWED_TAGS: [
    "p", "br", "hr", "a", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "input",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div", "span",
  ],
  ALLOWED_ATTR: ["href", "title", "align", "start", "type", "checked", "disabled", "class", "tabindex", "aria-label"],
  // Their values are no addresses, and are not to be judged as such.
  ADD_URI_SAFE_ATTR: ["align", "start", "type", "checked", "disabled", "tabindex"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
};

// Without a document, in tests of what comes before, there is nothing to hook into.
if (DOMPurify.isSupported) DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  // Each part runs in the direction of its own words.
  if (DIRECTED.has(node.tagName)) node.setAttribute("dir", "auto");
  if (node.tagName === "A") {
    // Without an address that is allowed it is text.
    if (!node.hasAttribute("href")) return;
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
    node.setAttribute("class", "link");
  } else if (node.tagName === "INPUT") {
    node.setAttribute("type", "checkbox");
    node.setAttribute("disabled", "");
  }
});

/** `start` is the first number of a list that goes on, whatever its text says. */
export function renderMarkdown(text: string, start?: number): string {
  return DOMPurify.sanitize(numbered(toHtml(text), start), ALLOWED);
}

/** The HTML of a numbered list with another first number. */
export function numbered(html: string, start: number | undefined): string {
  return start === undefined ? html : html.replace(/^<ol[^>]*>/, `<ol start="${start}">`);
}

/** Markdown as HTML before it is sanitised. */
export function toHtml(text: string): string {
  try {
    return marked.parse(text) as string;
  } catch {
    // What is nested too deep to be read stays as it was written.
    return `<p class="md-plain">${escape(text)}</p>`;
  }
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
