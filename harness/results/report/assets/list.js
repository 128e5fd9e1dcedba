// The list of answers: a page of rows, one of them open.

/** Make an element with attributes and children; texts are never read as HTML. */
function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A number as it is shown; "–" if there is none. */
function numberText(value, { sign = false } = {}) {
  if (value === null) return "–";
  const text = value.toFixed(2).replace("-", "−");
  return sign && value > 0 ? `+${text}` : text;
}

const ARROWS = { worse: "▼", better: "▲", same: "" };

/** The row of an answer in the list. */
function listRow(answers, row) {
  const severity = answers.get(row, "severity");
  const variant = answers.get(row, "perturbation") + (severity && `@${severity}`);
  const whose = `${variant} · ${answers.get(row, "adapter")} · ${answers.get(row, "task")}`;
  const pick = made("button", { type: "button", class: "pick", "aria-expanded": "false" });
  pick.append(answers.get(row, "sample"), made("span", { class: "sub" }, whose));
  const outcome = answers.get(row, "outcome");
  const change = numberText(answers.get(row, "change"), { sign: true });
  return made(
    "tr",
    { "data-row": row },
    made("td", {}, pick),
    made("td", { class: "number" }, numberText(answers.get(row, "drift"))),
    made("td", { class: `number ${outcome}` }, `${change} ${ARROWS[outcome]}`.trim()),
    made("td", {}, made("span", { class: "reason" }, answers.get(row, "reason") || answers.get(row, "kind"))),
  );
}

/** Show which column sorts the list. */
function showSort(heads, sort) {
  for (const head of heads) {
    const field = head.dataset.sort;
    if (sort === field) head.setAttribute("aria-sort", "ascending");
    else if (sort === `-${field}`) head.setAttribute("aria-sort", "descending");
    else head.removeAttribute("aria-sort");
  }
}

/** The order that a click on a heading asks for: numbers begin with the largest, then the other way, then as usual. */
function nextSort(field, sort) {
  const first = field === "drift" ? "-drift" : field;
  const second = first === field ? `-${field}` : field;
  if (sort === first) return second;
  return sort === second ? "" : first;
}
