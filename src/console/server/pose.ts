/** @file What the page draws over the cameras, from what a robot names in its proprioception, and where its cameras are. */
import { HOME_ROTATION } from '../../robots/workcell/layout.ts'
import { workcellCameras } from '../../robots/workcell/mounts.ts'
import { CELL_OPTIONS, type Cell, DEFAULT_OPTIONS } from '../../robots/workcell/options.ts'
import { fromRotationVector, multiply } from '../../robots/workcell/spatial.ts'
import type { Vec3 } from '../../robots/workcell/truth.ts'
import type { Calibration, CameraInfo, State } from '../protocol.ts'

type Named = { proprio: readonly string[] }

/** Reads named entries of an observation's proprioception; looks the names up once. */
export class ProprioReader {
  private readonly position: number[] | null
  private readonly turn: number[] | null
  private readonly velocity: number[] | null
  private readonly opening: number

  constructor({ proprio }: Named) {
    const find = (prefix: string) => {
      const indices = ['x', 'y', 'z'].map((axis) => proprio.findIndex((name) => name.startsWith(`${prefix}.${axis} `)))
      return indices.includes(-1) ? null : indices
    }
    this.position = find('tcp')
    this.turn = find('tcp.turn')
    this.velocity = find('tcp.velocity')
    this.opening = proprio.findIndex((name) => name.startsWith('gripper.opening'))
  }

  /** The tool's pose in the base frame; null where the robot does not tell all of it. */
  tcp(values: ArrayLike<number>): State['tcp'] {
    if (!this.position || !this.turn) return null
    const vector = (indices: number[]) => indices.map((i) => values[i]!) as Vec3
    const rotation = multiply(fromRotationVector(vector(this.turn)), HOME_ROTATION)
    return { position: vector(this.position), rotation }
  }

  /** [3] m/s; null where the robot does not tell. */
  velocityOf(values: ArrayLike<number>): number[] | null {
    return this.velocity?.map((i) => values[i]!) ?? null
  }

  /** m/s; null where the robot does not tell. */
  speed(values: ArrayLike<number>): number | null {
    const velocity = this.velocityOf(values)
    return velocity && Math.hypot(...velocity)
  }

  /** 0 closed, 1 open. */
  gripper(values: ArrayLike<number>): number | null {
    return this.opening < 0 ? null : values[this.opening]!
  }
}

/** The cameras of a robot in the order of their names, with their places where the robot is a known workcell. */
export function camerasOf(cameras: Record<string, { width: number; height: number }>, cell?: string): CameraInfo[] {
  const mounts: Record<string, Calibration> =
    cell !== undefined && cell in CELL_OPTIONS
      ? workcellCameras({ ...DEFAULT_OPTIONS, ...CELL_OPTIONS[cell as Cell] })
      : {}
  return Object.keys(cameras)
    .sort()
    .map((name) => ({ name, ...cameras[name]!, calibration: mounts[name] ?? null }))
}
