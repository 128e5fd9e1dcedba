// The answers of the page: decoded once, read by row number.

/** Decode base64, gzipped JSON. */
async function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** All answers, worst first. */
class Answers {
  #content;
  #haystacks = [];

  constructor(content) {
    this.#content = content;
    this.size = content.columns.key.length;
  }

  /** The values that a coded field has. */
  values(field) {
    return [...new Set(this.#content.values[field].flat())];
  }

  /** The value of a field of an answer. */
  get(row, field) {
    const { columns, values, texts, text_fields: textFields } = this.#content;
    const value = columns[field][row];
    if (field in values) return values[field][value];
    return textFields.includes(field) ? texts[value] : value;
  }

  /** What no other answer has, in links too: the place of its run, and its key there. */
  id(row) {
    return `${this.get(row, "source")}:${this.get(row, "key")}`;
  }

  /** Whether each row has this value in a coded field; of several values, one is enough. */
  having(field, wanted) {
    const column = this.#content.columns[field];
    const fits = this.#content.values[field].map((value) => [value].flat().includes(wanted));
    return (row) => fits[column[row]];
  }

  /** Everything in which a search looks, in lower case. */
  haystack(row) {
    if (this.#haystacks[row] === undefined) {
      const fields = ["sample", "adapter", "task", "perturbation", "asked", "clean", "output", "baseline", "reason"];
      const parts = [...fields.map((field) => this.get(row, field) ?? ""), this.asked(row)];
      this.#haystacks[row] = parts.join("\n").toLowerCase();
    }
    return this.#haystacks[row];
  }

  /** The perturbed prompt: the kept and the inserted pieces. */
  asked(row) {
    return this.get(row, "prompt").filter((piece, place) => place % 3 !== 1).join("");
  }
}
