/** Prints each text for people that stands in the code and not in the catalogue.
 *
 * `node dev/texts_in_code.mjs [FILE…]`; without a file, all of src.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "vite";

/** Attributes whose text somebody reads or hears. */
const READ_ALOUD = new Set(["title", "alt", "aria-label", "aria-valuetext", "placeholder", "label", "hint"]);
/** Names are the same in each language. */
const NAMES = new Set(["Holdfast", "site.yaml", "holdfast estop"]);
const WORD = /[A-Za-z]{2,}/;

const files = process.argv.slice(2);
const wanted = files.length > 0 ? files : sources("src");

for (const file of wanted) {
  const text = readFileSync(file, "utf8");
  visit(parseAst(text, { lang: "tsx" }), false, (found, at) => {
    const line = text.slice(0, at).split("\n").length;
    if (WORD.test(found) && !NAMES.has(found)) console.log(`${file}:${line}: ${found}`);
  });
}

function sources(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".tsx"))
    .map((name) => join(folder, name));
}

/** `isShown`: a text here is one that somebody reads, as a child of an element is. */
function visit(node, isShown, tell) {
  if (Array.isArray(node)) return node.forEach((one) => visit(one, isShown, tell));
  if (node === null || typeof node !== "object" || typeof node.type !== "string") return;
  switch (node.type) {
    case "JSXText":
      return tell(node.value.trim(), node.start);
    case "JSXAttribute":
      return visit(node.value, READ_ALOUD.has(attributeName(node.name)), tell);
    case "Literal":
      return isShown && typeof node.value === "string" ? tell(node.value.trim(), node.start) : undefined;
    case "CallExpression": // t("key") is no text, and neither is what any other is called with
      return visit(node.arguments, false, tell);
    case "BinaryExpression": // compared, not shown
      return undefined;
    case "JSXExpressionContainer":
      return visit(node.expression, isShown, tell);
    case "JSXElement":
      visit(node.openingElement.attributes, false, tell);
      return visit(node.children, true, tell);
  }
  for (const [name, value] of Object.entries(node)) {
    if (name !== "type") visit(value, isShown && name !== "test", tell);
  }
}

function attributeName(name) {
  return name.type === "JSXNamespacedName" ? `${name.namespace.name}:${name.name.name}` : name.name;
}
