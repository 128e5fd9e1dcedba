// What is shown, as the part of the URL behind #answers?, so that a link opens the same view.

const FILTERS = ["adapter", "task", "group", "perturbation", "severity", "reason", "outcome"];
const FIELDS = { reason: "kind", group: "groups" };
const PAGE = 50;
const PREFIX = "#answers?";
const SORTS = [...document.querySelectorAll("#list th[data-sort]")].flatMap(({ dataset }) => [
  dataset.sort,
  `-${dataset.sort}`,
]);

/** The state that the URL holds, or null if it names a section only. */
function stateOf(hash) {
  if (!hash.startsWith(PREFIX)) return null;
  const given = new URLSearchParams(hash.slice(PREFIX.length));
  const state = { q: given.get("q") ?? "", sort: given.get("sort") ?? "", answer: given.get("answer") ?? "" };
  if (!SORTS.includes(state.sort)) state.sort = "";
  state.page = Math.max(1, Number.parseInt(given.get("page") ?? "1", 10) || 1);
  for (const name of FILTERS) state[name] = given.get(name);
  return state;
}

/** The part of the URL for a state; what is as usual is left out. */
function hashOf(state) {
  const kept = new URLSearchParams();
  for (const name of FILTERS) if (state[name] !== null) kept.set(name, state[name]);
  for (const name of ["q", "sort", "answer"]) if (state[name]) kept.set(name, state[name]);
  if (state.page > 1) kept.set("page", state.page);
  return PREFIX + kept;
}

/** The state of a page that is opened without one. */
function usualState(candidate) {
  const state = { q: "", sort: "", answer: "", page: 1 };
  for (const name of FILTERS) state[name] = null;
  if (candidate) state.adapter = candidate;
  return state;
}

/** The rows that the filters let through, in the order asked for. */
function chosenRows(answers, state) {
  const tests = [];
  for (const name of FILTERS) {
    if (state[name] !== null) tests.push(answers.having(FIELDS[name] ?? name, state[name]));
  }
  const query = state.q.trim().toLowerCase();
  if (query) tests.push((row) => answers.haystack(row).includes(query));
  const rows = [];
  for (let row = 0; row < answers.size; row += 1) if (tests.every((test) => test(row))) rows.push(row);
  return sorted(answers, rows, state.sort);
}

/** Sort rows by a field ("drift", or "-drift" for the largest first); without one they stay as they are. */
function sorted(answers, rows, sort) {
  if (!sort) return rows;
  const descending = sort.startsWith("-");
  const field = descending ? sort.slice(1) : sort;
  const sign = descending ? -1 : 1;
  const compared = new Intl.Collator(undefined, { numeric: true }).compare;
  const values = rows.map((row) => answers.get(row, field));
  const order = values.map((_, place) => place);
  order.sort((one, two) => {
    const [a, b] = [values[one], values[two]];
    if (a === b) return one - two;
    if (a === null || a === "") return 1; // what has no value comes last either way
    if (b === null || b === "") return -1;
    return sign * (typeof a === "number" ? a - b : compared(a, b)) || one - two;
  });
  return order.map((place) => rows[place]);
}
