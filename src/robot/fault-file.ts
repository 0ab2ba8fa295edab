/** @file A fault that outlives the process: one file a robot, there as long as nobody has cleared it. */
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { stateFolder } from '../state-folder.ts'
import { FAULTS, type Fault } from './fault.ts'

const Kept = z.object({ robot: z.string(), kind: z.enum(FAULTS), what: z.string(), at: z.string() })
export type KeptFault = z.infer<typeof Kept>

/** Of all robots that this machine drives. */
export const faultFolder = (): string => stateFolder('faults')

export class FaultFile {
  private readonly path: string

  constructor(
    readonly robot: string,
    private readonly folder = faultFolder(),
  ) {
    this.path = join(folder, `${encodeURIComponent(robot)}.json`)
  }

  /** Null where the robot may move. A file that cannot be read is a fault, too: somebody should look. */
  read(): KeptFault | null {
    if (!fs.existsSync(this.path)) return null
    try {
      return Kept.parse(JSON.parse(fs.readFileSync(this.path, 'utf8')))
    } catch {
      const at = fs.statSync(this.path).mtime.toISOString()
      return { robot: this.robot, kind: 'stopped', what: `${this.path} cannot be read as a fault`, at }
    }
  }

  /** On the disk when this returns. */
  write({ kind, what }: Fault): void {
    fs.mkdirSync(this.folder, { recursive: true })
    const kept: KeptFault = { robot: this.robot, kind, what, at: new Date().toISOString() }
    writeWhole(this.path, `${JSON.stringify(kept)}\n`)
  }

  clear(): void {
    fs.rmSync(this.path, { force: true })
  }
}

/** The faults that are kept, by robot. */
export function keptFaults(folder = faultFolder()): KeptFault[] {
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => new FaultFile(decodeURIComponent(name.slice(0, -'.json'.length)), folder).read() ?? [])
}
