// Named, nested ranges over octets, as the sandbox dissects them: { start, end, name, key, value, text, children }.

/** The spans from the outside in that cover an offset. */
export function pathAt(spans, offset) {
  const path = [];
  let inside = spans;
  for (;;) {
    const found = inside?.find((span) => span.start <= offset && offset < span.end);
    if (!found) return path;
    path.push(found);
    inside = found.children;
  }
}

/** The innermost spans in order, each with its parents: what the arrow keys walk. */
export function leaves(spans, parents = [], found = []) {
  for (const span of spans ?? []) {
    const path = [...parents, span];
    if (span.children?.length) leaves(span.children, path, found);
    else found.push(path);
  }
  return found;
}

/** What is worth a line of its own: the first span on each way down whose children are parts of one line. Parts of one
    line that stand beside others of several (the words of IMAP around a literal) are put together again. */
export function lines(spans, octets, found = [], whole = null) {
  let run = [];
  const together = () => {
    if (run.length > 1) found.push({ ...whole, start: run[0].start, end: run.at(-1).end, value: "", children: run });
    else if (run.length) found.push(run[0]);
    run = [];
  };
  for (const span of spans ?? []) {
    if (several(span, octets)) {
      together();
      lines(span.children, octets, found, span);
    } else if (whole && !endsLine(octets, span) && !isBody(span)) {
      run.push(span);
    } else if (run.length) {
      run.push(span);
      together();
    } else {
      found.push(span);
    }
  }
  together();
  return found;
}

const several = (span, octets) => span.children?.length && !isBody(span) && octets.subarray(span.start, Math.max(span.start, span.end - 2)).includes(10);
const endsLine = (octets, span) => octets[span.end - 1] === 10;

export const isBody = ({ name }) => /^(body|content|data|payload|part body)$/i.test(name);

/** Whether nobody took the octets apart. */
export const only = (spans) => spans.every(({ name, children }) => name === "octets" && !children?.length);

/** Where nobody dissected: a line each, so that there is something to point at. */
export function byLine(octets) {
  const spans = [];
  let start = 0;
  while (start < octets.length && spans.length < 2000) {
    const end = octets.indexOf(10, start);
    const stop = end < 0 ? octets.length : end + 1;
    spans.push({ start, end: stop, name: "line", key: "", value: "", text: "", children: [] });
    start = stop;
  }
  return spans;
}
