// The rows in memory, newest first: what repeats is folded, and only so many are kept, at either end.

export const KEPT = 6_000;       // rows; what is let go is asked for again when somebody scrolls to it
export const FOLDED = 60;        // rows of one fold that are kept; it goes on counting

const alike = (one, other) =>
  one.verb === other.verb && one.asked === other.asked && one.outcome === other.outcome && one.service === other.service
  && one.client.host === other.client.host && one.facts?.host === other.facts?.host;

export class Rows {
  constructor() {
    this.clear();
  }

  clear() {
    this.entries = [];      // { row: the newest of those folded, rows: the newest of them, newest first, count }
    this.oldest = null;     // the id to ask for more with; null when there are no older ones
    this.newest = 0;        // the highest id seen
    this.held = 0;          // rows in memory
    this.detached = false;  // whether the newest were let go because somebody scrolled far down
  }

  /** Rows that have just happened, oldest first. Gives back by how many lines the list grew, or would have grown, at its top. */
  arrived(rows) {
    const added = [];
    for (const row of rows) {
      if (row.id <= this.newest) continue;
      this.newest = row.id;
      const top = added[0] ?? (this.detached ? undefined : this.entries[0]);
      if (top && !top.loose && alike(top.row, row)) {
        top.row = row;
        top.rows.unshift(row);
        top.count += 1;
        this.held += 1;
        if (top.rows.length > FOLDED) {
          top.rows.pop();
          this.held -= 1;
        }
      } else {
        added.unshift({ row, rows: [row], count: 1 });
        this.held += 1;
      }
    }
    if (this.detached) {
      this.held -= added.reduce((sum, one) => sum + one.rows.length, 0);
    } else if (added.length) {
      this.entries = added.concat(this.entries);
      this.dropOldest();
    }
    return added.length;
  }

  dropOldest() {
    if (this.held <= KEPT) return;
    while (this.held > KEPT && this.entries.length > 1) this.held -= this.entries.pop().rows.length;
    this.oldest = this.entries.at(-1).rows.at(-1).id;
  }

  /** Older rows, newest first. next: the id to go on with, null for none. Gives back how many lines were let go at the top. */
  older(rows, next) {
    for (const row of rows) {
      if (row.id > this.newest) this.newest = row.id;
      const last = this.entries.at(-1);
      if (last && row.id >= last.rows.at(-1).id) continue;      // it came by the live stream meanwhile
      if (last && !last.loose && alike(last.row, row)) {
        last.count += 1;
        if (last.rows.length < FOLDED) {
          last.rows.push(row);
          this.held += 1;
        }
      } else {
        this.entries.push({ row, rows: [row], count: 1 });
        this.held += 1;
      }
    }
    this.oldest = next;
    let gone = 0;
    while (this.held > KEPT && gone < this.entries.length - 1) this.held -= this.entries[gone++].rows.length;
    if (gone) {
      this.entries = this.entries.slice(gone);
      this.detached = true;
    }
    return gone;
  }

  /** Take a fold apart. */
  unfold(index) {
    const { rows } = this.entries[index];
    this.entries.splice(index, 1, ...rows.map((row) => ({ row, rows: [row], count: 1, loose: true })));
  }

  index(id) {
    return this.entries.findIndex((entry) => entry.row.id === id || (entry.count > 1 && entry.rows.some((row) => row.id === id)));
  }
}
