/** @file A fault that outlives the process: one file a robot, there as long as nobody has cleared it. */
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { stateFolder } from '../state-folder.ts'
import { FAULTS, type Fault } from './fault.ts'

const Kept = z.object({
  robot: z.string(),
  kind: z.enum(FAULTS),
  what: z.string(),
  at: z.string(),
  cleared: z.string().optional(), // when, between two sessions; kept until the robot has been told
})
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
    const kept = this.kept()
    return kept?.cleared === undefined ? kept : null
  }

  /** Whether a person cleared a fault of an earlier session, and the robot does not know yet. */
  get clearedSince(): boolean {
    return this.kept()?.cleared !== undefined
  }

  private kept(): KeptFault | null {
    if (!fs.existsSync(this.path)) return null
    try {
      return Kept.parse(JSON.parse(fs.readFileSync(this.path, 'utf8')))
    } catch {
      const at = fs.statSync(this.path).mtime.toISOString()
      return { robot: this.robot, kind: 'stopped', what: `${this.path} cannot be read as a fault`, at }
    }
  }

  /** On the disk when this returns. @returns when it was written, by which it is known from others */
  write({ kind, what }: Fault): string {
    const at = new Date().toISOString()
    this.keep({ robot: this.robot, kind, what, at })
    return at
  }

  private keep(kept: KeptFault): void {
    fs.mkdirSync(this.folder, { recursive: true })
    writeWhole(this.path, `${JSON.stringify(kept)}\n`)
  }

  /** A person cleared it while nobody drives the robot, which is to be told when somebody does again. */
  clearForNext(): void {
    const kept = this.read()
    if (kept) this.keep({ ...kept, cleared: new Date().toISOString() })
  }

  /** Cleared, and the robot was told or need not be. */
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
    .flatMap((name) => {
      const robot = robotIn(name)
      return robot === null ? [] : (new FaultFile(robot, folder).read() ?? [])
    })
}

/** Null where no robot's fault is kept under this name: somebody else put the file there. */
function robotIn(name: string): string | null {
  try {
    return decodeURIComponent(name.slice(0, -'.json'.length))
  } catch {
    return null
  }
}
