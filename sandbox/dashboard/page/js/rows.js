// The rows in memory, newest first: what repeats is folded, and only so many are kept.

export const KEPT = 10_000;      // rows; older ones are asked for again when somebody scrolls to them

const alike = (one, other) =>
  one.verb === other.verb && one.asked === other.asked && one.outcome === other.outcome && one.service === other.service
  && one.client.host === other.client.host && one.facts?.host === other.facts?.host;

export class Rows {
  constructor() {
    this.clear();
  }

  clear() {
    this.entries = [];      // { row: the newest of those folded, rows: all of them, newest first }
    this.oldest = null;     // the id to ask for more with; null when there are no older ones
    this.newest = 0;
    this.dropped = false;
  }

  /** Rows that have just happened, oldest first. Gives back how many lines the list grew by at its top. */
  arrived(rows) {
    const added = [];
    for (const row of rows) {
      if (row.id <= this.newest) continue;
      this.newest = row.id;
      const top = added[0] ?? this.entries[0];
      if (top && !top.loose && alike(top.row, row)) {
        top.row = row;
        top.rows.unshift(row);
        if (top.rows.length > 500) top.rows.length = 500;
        top.count += 1;
      } else {
        added.unshift({ row, rows: [row], count: 1 });
      }
    }
    if (added.length) this.entries = added.concat(this.entries);
    if (this.entries.length > KEPT) {
      this.entries.length = KEPT;
      this.oldest = this.entries.at(-1).rows.at(-1).id;
    }
    return added.length;
  }

  /** Older rows, newest first. next: the id to go on with, null for none. */
  older(rows, next) {
    for (const row of rows) {
      if (row.id > this.newest) this.newest = row.id;
      const last = this.entries.at(-1);
      if (last && !last.loose && alike(last.row, row)) {
        last.rows.push(row);
        last.count += 1;
      } else {
        this.entries.push({ row, rows: [row], count: 1 });
      }
    }
    this.oldest = next;
  }

  /** Take a fold apart; gives back by how many lines the list grew. */
  unfold(index) {
    const { rows } = this.entries[index];
    this.entries.splice(index, 1, ...rows.map((row) => ({ row, rows: [row], count: 1, loose: true })));
    return rows.length - 1;
  }

  index(id) {
    return this.entries.findIndex((entry) => entry.row.id === id || entry.rows.some((row) => row.id === id));
  }
}
