/** @file The transitions of one partition: serial numbers that enter at the end and leave, oldest first, at the front. */

export class SerialQueue {
  private items = new Float64Array(256)
  private tags = new Uint16Array(256)
  private head = 0
  private tail = 0

  get length(): number {
    return this.tail - this.head
  }

  /** `tag` is a small number kept with the entry. */
  push(serial: number, tag = 0) {
    if (this.tail === this.items.length) this.makeRoom()
    this.items[this.tail] = serial
    this.tags[this.tail++] = tag
  }

  /** Forgets all entries below `oldest`. */
  dropBelow(oldest: number) {
    while (this.head < this.tail && this.items[this.head]! < oldest) this.head++
  }

  at(index: number): number {
    return this.items[this.head + index]!
  }

  tag(index: number): number {
    return this.tags[this.head + index]!
  }

  private makeRoom() {
    const grow = this.length * 2 > this.items.length
    const items = grow ? new Float64Array(this.items.length * 2) : this.items
    const tags = grow ? new Uint16Array(this.tags.length * 2) : this.tags
    items.set(this.items.subarray(this.head, this.tail))
    tags.set(this.tags.subarray(this.head, this.tail))
    this.items = items
    this.tags = tags
    this.tail -= this.head
    this.head = 0
  }
}
