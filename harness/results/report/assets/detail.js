// One answer in full: its prompt with the edits, and the answers beside each other, segment by segment.

/** The prompt, with removed and inserted text marked. */
function promptBox(answers, row) {
  const box = made("p", { class: "text" });
  answers.get(row, "prompt").forEach((piece, place) => {
    if (!piece) return;
    const tag = [null, "del", "ins"][place % 3];
    box.append(tag ? made(tag, {}, piece) : piece);
  });
  const asked = answers.get(row, "asked");
  return asked === null ? [box] : [box, made("h3", {}, "Prompt, perturbed"), made("p", { class: "text" }, asked)];
}

/** A list of pieces of an answer, each with its drift, its reason and the numbers of its counterparts. */
function segmentList(pieces, partners) {
  const list = made("ol", { class: "segments" });
  pieces.forEach(([text, drift, reason], place) => {
    const item = made("li", drift === null ? { class: "plain" } : { style: `--drift:${drift}` }, text);
    const others = (partners.get(place) ?? []).map((other) => other + 1).sort((one, two) => one - two);
    if (drift !== null || others.length) {
      const beside = others.length ? [`${place + 1} ↔ ${others.join(", ")}`] : [`${place + 1}`];
      const drifted = drift === null ? [] : [`drift ${drift.toFixed(2)}`];
      item.append(made("span", { class: "sub" }, [...beside, ...drifted, ...(reason ? [reason] : [])].join(" · ")));
    }
    list.append(item);
  });
  return list;
}

/** The places that each place is linked to. */
function partnersOf(links, from, to) {
  const found = new Map();
  for (const link of links) found.set(link[from], [...(found.get(link[from]) ?? []), link[to]]);
  return found;
}

/** A column with an answer under its heading. */
function answerColumn(title, score, content) {
  const heading = score === null ? title : `${title} · score ${numberText(score)}`;
  const body = typeof content === "string" ? made("p", { class: "text" }, content || "(empty)") : content;
  return made("div", {}, made("h3", {}, heading), body);
}

/** Draw a line from each clean segment to its counterparts, the wider the more mass it moves. */
function drawLinks(columns, links) {
  const [clean, perturbed] = columns.querySelectorAll(".segments");
  const origin = columns.getBoundingClientRect();
  const drawing = columns.querySelector(".links");
  drawing.replaceChildren();
  for (const [one, two, mass] of links) {
    const from = clean.children[one].getBoundingClientRect();
    const to = perturbed.children[two].getBoundingClientRect();
    const [x, y] = [from.right - origin.left, from.top - origin.top + 14];
    const [end, height] = [to.left - origin.left, to.top - origin.top + 14];
    const middle = (x + end) / 2;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x} ${y}C${middle} ${y} ${middle} ${height} ${end} ${height}`);
    path.setAttribute("stroke-width", Math.max(1, 12 * mass).toFixed(1));
    drawing.append(path);
  }
}

/** The answers beside each other. */
function answerColumns(answers, row) {
  const linked = answers.get(row, "linked");
  const [clean, output, base] = ["clean", "output", "baseline"].map((field) => answers.get(row, field));
  const columns = made("div", { class: "columns" });
  const shown = linked
    ? [
        segmentList(linked.clean, partnersOf(linked.links, 0, 1)),
        segmentList(linked.perturbed, partnersOf(linked.links, 1, 0)),
      ]
    : [clean, output];
  const isClean = answers.get(row, "drift") === null;
  if (!isClean && clean !== null) {
    columns.append(answerColumn("Answer, clean prompt", answers.get(row, "clean_score"), shown[0]));
  }
  const title = isClean ? "Answer" : "Answer, perturbed prompt";
  columns.append(answerColumn(title, answers.get(row, "score"), shown[1]));
  if (base !== null) columns.append(answerColumn("Baseline, same prompt", answers.get(row, "base_score"), base));
  if (linked) {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("class", "links");
    drawing.setAttribute("aria-hidden", "true");
    columns.append(drawing);
    new ResizeObserver(() => drawLinks(columns, linked.links)).observe(columns);
  }
  return columns;
}

/** The command that shows more of an answer; a key may hold anything, if others wrote the run. */
function commandFor(answers, row) {
  return `holdfast explain ${quoted(answers.get(row, "run"))} ${quoted(answers.get(row, "key"))}`;
}

/** A text as one word of a shell's command. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Everything about an answer, as a row of the list. */
function detailRow(answers, row) {
  const box = made("div", { class: "detail-box" }, made("h3", {}, "Prompt"), ...promptBox(answers, row));
  box.append(answerColumns(answers, row));
  const reason = answers.get(row, "reason");
  const facts = made("p", { class: "facts" });
  if (reason) facts.append(made("span", { class: "chip" }, reason));
  if (answers.get(row, "broke") === 1) facts.append(made("span", {}, "broken"));
  if (answers.get(row, "drift") !== null) facts.append(made("code", {}, commandFor(answers, row)));
  box.append(facts);
  return made("tr", { class: "detail", id: "detail" }, made("td", { colspan: "4" }, box));
}
