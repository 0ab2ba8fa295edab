/**
 * @file What the console's page and its server say to each other. The page imports this file, so it needs nothing but the
 * language. Down: camera frames as binary, all else as JSON events. Up: JSON messages only. `decode.ts` checks what arrives
 * at the server; the page trusts its own server, but checks the version.
 */
import type { Metric } from '../metrics/metrics.ts'
import type { Summary } from '../metrics/summary.ts'
import type { Actor, Judge } from '../replay/transition.ts'
import type { Verdict } from '../robot/operator.ts'

export const PROTOCOL_VERSION = 3
export const LIVE_PATH = '/live' // of the WebSocket; ?token=... where the server asks for one
export const ACTION_AXES = 6

/** Milliseconds, unless they say otherwise. */
export const TIMES = {
  inputAge: 200, // an older input is no motion
  lateFor: 300, // a page is told that its inputs are too old once all were for that long,
  lateEvery: 500, // and then that often
  inputEvery: 33, // the page sends its input that often while it holds; 20 to 30 Hz
  lease: 2000, // control is lost when its holder is silent for that long; any message renews it
  pingEvery: 500,
  undo: 3000, // a verdict waits that long for an "undo" before it counts; the robot holds
}

/**
 * How long a command lasts, in robot time and on the clock, whichever ends first; milliseconds. Without a distance it steers by
 * direction only: "a bit" goes less far because it is over sooner. The arm covers about 1 cm in half a second.
 */
export const COMMAND_TIMES = { small: 500, usual: 1500, large: 3000 }

/** Of what comes up. More is refused and the connection closed. */
export const LIMITS = { messageBytes: 4096, messagesPerSecond: 200, nameLength: 40, phraseLength: 120, clients: 16 }

export type Vector3 = readonly [x: number, y: number, z: number]
export type Quaternion = readonly [w: number, x: number, y: number, z: number]

// ---------------------------------------------------------------- frames, server to page

export const FRAME_HEADER_BYTES = 16

/** Bits of a frame's flags. The two lowest are the actor (ACTORS). */
export const FRAME_FLAGS = { actor: 0b11, stopped: 1 << 2, paused: 1 << 3, evaluation: 1 << 4 }

/** u8 version, u8 camera, u16 flags, u32 step, f64 capture time, then the JPEG. Big endian. */
export type CameraFrame = {
  camera: number // index in Hello.cameras
  flags: number
  step: number // the same number as in the state event of that moment
  time: number // ms since 1970 on the server's clock
  jpeg: Uint8Array
}

export function encodeFrame({ camera, flags, step, time, jpeg }: CameraFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + jpeg.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, PROTOCOL_VERSION)
  view.setUint8(1, camera)
  view.setUint16(2, flags)
  view.setUint32(4, step)
  view.setFloat64(8, time)
  bytes.set(jpeg, FRAME_HEADER_BYTES)
  return bytes
}

/** @returns null for anything that is no frame of this version; `jpeg` is a view of `bytes` */
export function decodeFrame(bytes: Uint8Array): CameraFrame | null {
  if (bytes.length < FRAME_HEADER_BYTES || bytes[0] !== PROTOCOL_VERSION) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const time = view.getFloat64(8)
  if (!Number.isFinite(time)) return null
  return {
    camera: view.getUint8(1),
    flags: view.getUint16(2),
    step: view.getUint32(4),
    time,
    jpeg: bytes.subarray(FRAME_HEADER_BYTES),
  }
}

// ---------------------------------------------------------------- events, server to page

/**
 * Where a camera is, to draw over its picture. It looks along its own -z, +y is up in the image (MuJoCo, OpenGL). With the
 * pose p, R and f = height / (2 tan(fovy / 2)), a point q of the base frame lies at c = Rᵀ(q - p) in the camera's frame and
 * in the picture at column width/2 + f c.x / -c.z, row height/2 - f c.y / -c.z; it is in front where c.z < 0.
 * `mount` "tool": p and R are in the frame of the tool, so compose them with the state's `tcp` first.
 */
export type CameraCalibration = {
  mount: 'base' | 'tool'
  position: Vector3
  rotation: Quaternion
  fovy: number /* rad */
}

export type CameraInfo = { name: string; width: number; height: number; calibration: CameraCalibration | null }
export type TaskInfo = { name: string; instruction: string; maxSteps: number; trained: boolean } // trained: in this run
export type RobotInfo = { cell: string; name: string }

/** First event of a connection, and again where another robot comes into focus: all that is to be known follows. */
export type Hello = {
  kind: 'hello'
  protocol: number
  client: string // this page's own id, as in the control event
  mode: 'live' | 'replay' | 'fleet' // replay: no run goes on here, only /api; fleet: its robots are in other processes
  run: string // its name
  settings: Record<string, unknown> // the resolved config
  robots: RobotInfo[] // the first one is in focus until somebody chooses another
  cameras: CameraInfo[] // in the order of Frame.camera
  tasks: TaskInfo[] // all that the robot knows
  actionScale: { translation: number; rotation: number } // metres and radians per step at |a| = 1
  controlRate: number // Hz
  serverTime: number // ms since 1970
}

/** What the run is doing with the robot. */
export type RunStage = 'preparing' | 'practice' | 'evaluation' | 'demonstration' | 'ended'

export type CommandInfo = {
  text: string // canonical: "move left and up"
  said: string // as it was typed or heard
  source: CommandSource
  lasts: number // ms in all, at most
  distance?: number // metres along each of its axes, after which it is over
  left: number // ms until it expires, at most
}

/** After a step, at most 20 a second; newest wins. Vectors are in the robot's base frame: x forward, y left, z up. */
export type State = {
  kind: 'state'
  step: number // counts all steps of the robot in focus since the program started, and its episodes' first observations
  time: number // of the observation, ms since 1970 on the server's clock
  robot: string // cell
  stage: RunStage
  task: string
  episode: number | null // its number in the log; null where the log does not have it (evaluation)
  episodeStep: number // steps of the episode behind this observation
  maxSteps: number
  actor: Actor | null // of the step that led here; null at an episode's first observation
  planned: number[] | null // [7] in [-1, 1], what the primary actor would have done in that step; canonical, as what is executed
  executed: number[] | null // [7] what reached the motors
  plannedMotion: Vector3 | null // metres
  executedMotion: Vector3 | null // metres, as commanded
  tcp: { position: Vector3; rotation: Quaternion } | null // metres; null where the robot does not tell
  gripper: number | null // 0 closed, 1 open
  grip: -1 | 0 | 1 // what the gripper is asked for: to open, nobody knows, to close
  speed: number | null // m/s of the tool
  command: CommandInfo | null // in force now
}

/** "stopped" and "paused" are said only after the robot has been read back; until then it is "stopping", "pausing". */
export type RobotStatus = 'idle' | 'moving' | 'pausing' | 'paused' | 'stopping' | 'stopped' | 'holding' | 'waiting'

export type RobotEvent = {
  kind: 'robot'
  status: RobotStatus
  why: string // in words: who stopped it, what it waits for; '' where there is nothing to say
  speed: number | null // m/s as read back, for stopped and paused
}

export type ClientName = { client: string; name: string }
export type ControlEvent = {
  kind: 'control'
  holder: ClientName | null
  holding: boolean // the holder's hand is on the robot: a takeover
  waiting: ClientName[] // asked for control, longest first
  operator: 'person' | 'simulated' | 'none' // who tends the robot now
}

export type PaceEvent = {
  kind: 'pace'
  chosen: number // while nobody is in control; 1 is real time
  now: number // 1 while a person is in control
  fastest: number // of the run's settings
}

export type EpisodeEvent = {
  kind: 'episode'
  robot: string
  stage: RunStage
  episode: number | null
  task: string
  ending: 'success' | 'failure' | 'timeout' | 'abort'
  length: number // steps
  operatorSteps: number
  judge: 'robot' | 'clock' | 'person'
}

/** A tweak has become talk: the label of a window of an intervention. */
export type LabelEvent = {
  kind: 'label'
  episode: number
  step: number
  task: string
  command: string // "[null]" where the correction is below the threshold
  delta: Vector3 // metres, over the window
  window: number // steps
  thumbnail: string | null // data: URL of a JPEG, the first camera at the window's start
}

/** A verdict that waits to count, or none does any more. */
export type VerdictEvent = { kind: 'verdict'; verdict: Verdict | null; left: number /* ms */; by: string }

/** A person lays the scene of a robot, or does no longer: it waits until they say that all is there. */
export type SceneEvent = {
  kind: 'scene'
  waits: boolean
  robot: string // cell
  task: string
  scene: string | null // what is to lie where, in words
  start: string | null // in particular this time
}

/** A trial of an evaluation; null until it is over. */
export type TrialInfo = {
  task: string
  start: string | null
  outcome: { success: boolean; length: number; by: Judge | null } | null
}

/** An evaluation that goes on, trial by trial, or has ended. */
export type EvaluationEvent = {
  kind: 'evaluation'
  stage: string
  robot: string // cell
  over: boolean
  trials: readonly TrialInfo[] // in the order in which they are made
}

/** A demonstration by a person. Its frames, for review: GET /api/recording/frames/<step>/<camera>. */
export type RecordingEvent = {
  kind: 'recording'
  phase: 'off' | 'waiting' | 'recording' | 'review' // waiting: for the episode that runs to end
  task: string | null
  steps: number
  success: boolean // in review: what the robot, or the person, says
  kept: Record<string, number> // by task, of those that the run begins from while it waits for them, else of its folder `recorded`
  wanted: number | null // of each task, where the run waits for them
}

/** The control loop over the last minute, at the present pace. */
export type LoopEvent = {
  kind: 'loop'
  rate: number // Hz, of one robot
  jitterMedian: number // ms a step began late
  jitter99: number // ms, 99th percentile
  latencyMedian: number | null // ms from the picture to the command that rests on it; null where time is simulated
  latency99: number | null // ms, 99th percentile
  steps: number // that these are over
  viewers: number
  framesSkipped: number // for slow viewers, since the start
}

/** The loop's figures with the run's clock at that moment, as metrics have it. */
export type LoopSample = { time: number; robotSteps: number; loop: LoopEvent }

/** What acted in one step, for the ribbon below the views. */
export type Act = {
  step: number
  actor: Actor | null
  episodeStep: number
  evaluation: boolean
  ending?: EpisodeEvent['ending']
}

/** After hello: what the other pages were told before and still show, as many as they show. */
export type HistoryEvent = {
  kind: 'history'
  acts: readonly Act[] // oldest first
  loop: readonly LoopSample[] // oldest first
  episodes: readonly EpisodeEvent[] // newest first
  labels: readonly LabelEvent[] // newest first
}

/** A robot of a fleet, as its learner knows it. */
export type FleetRobot = {
  robot: string
  share: number // of the samples
  lag: number | null // s from a step to the replay
  policyAge: number | null // updates
  episodes: number
  success: number | null // of the last episodes
  heard: number | null // s since the last word
  does: string | null
  help: string | null // why somebody should look at it
  page: string | null // where a person can tend it: a console of its own
}

/** Weights that the robots of a fleet had, and could have again. */
export type FleetVersion = { version: number; at: string; trial?: { successes: number; trials: number } }

/** How a fleet is; robots that need help come first. */
export type FleetEvent = {
  kind: 'fleet'
  robots: readonly FleetRobot[]
  versions: {
    newest: number | null // of the learner
    acting: number | null // that the robots get
    chosen: { version: number; at: string; by: string } | null // by a person: nothing newer goes out
    failed: { version: number; successes: number; trials: number } | null
  }
  kept: readonly FleetVersion[] // the oldest first
}

/** This page's inputs are too old when they arrive, as while its line is jammed: the robot holds still. */
export type LateEvent = { kind: 'late'; age: number /* ms */ }

/** What this page sent was not done. */
export type RefusedEvent = { kind: 'refused'; what: string; why: string }

export type ServerEvent =
  | Hello
  | State
  | RobotEvent
  | ControlEvent
  | PaceEvent
  | EpisodeEvent
  | LabelEvent
  | VerdictEvent
  | RecordingEvent
  | SceneEvent
  | EvaluationEvent
  | LoopEvent
  | FleetEvent
  | RefusedEvent
  | LateEvent
  | HistoryEvent
  | { kind: 'metrics'; metrics: readonly Metric[] } // all so far, after hello; many updates are thinned out
  | { kind: 'metric'; metric: Metric } // one more, as it is written; the newest of kind health has all signs that stand
  | { kind: 'progress'; stage: string; done: number; total: number; note: string }
  | { kind: 'coach'; line: string }
  | { kind: 'command'; command: CommandInfo | null } // taken up, or over
  | { kind: 'ended'; summary: Summary | null; error: string | null }
  | { kind: 'pong'; t: number; serverTime: number; left: number } // left: ms on the clock by which inputs age

// ---------------------------------------------------------------- messages, page to server

export type CommandSource = 'typed' | 'clicked' | 'spoken' | 'device'

/**
 * Sent while the hand is on the robot, every 33 ms, and once with hold false when it lets go. `axes` are those of an action
 * (base frame, after dead zone, scale and mapping). The mean of what arrived since the last step is executed.
 */
export type InputMessage = {
  kind: 'input'
  seq: number // increases
  t: number // ms on the page's clock, the time of the device's report
  axes: readonly [dx: number, dy: number, dz: number, droll: number, dpitch: number, dyaw: number] // each in [-1, 1]
  gripper: -1 | 0 | 1 // open, as it is, close
  hold: boolean
}

/**
 * All but `stop`, `ping`, `name`, `hidden`, `control` and `roll-back` need control. Stop is anybody's, and so is a `command` in whose text
 * something halts the robot (`talk/halt-words.ts`): it is no command, it stops or pauses.
 */
export type ClientMessage =
  | InputMessage
  | { kind: 'name'; name: string } // shown to the others
  | { kind: 'control'; action: 'request' | 'release' }
  | { kind: 'control'; action: 'grant'; to: string } // hand it to a client that waits
  | { kind: 'command'; text: string; source: CommandSource }
  | { kind: 'silence' } // the command is over now
  | { kind: 'verdict'; verdict: Verdict } // another one replaces it
  | { kind: 'undo' } // of a verdict that waits
  | { kind: 'confirm' } // it need not wait any longer
  | { kind: 'pause' }
  | { kind: 'resume' }
  | { kind: 'stop' } // latches in the robot's safety envelope
  | { kind: 'clear' } // a person has looked: the robot may move again; the run stays paused until `resume`
  | { kind: 'speed'; speed: number } // while nobody is in control, 1 is real time
  | { kind: 'focus'; robot: string }
  | { kind: 'ready'; robot?: string } // the scene of this robot is laid, of the one in focus unless it is named
  | { kind: 'roll-back'; version: number | null } // of a fleet: the robots get these weights; null: the newest again
  | { kind: 'record'; action: 'start'; task: string }
  | { kind: 'record'; action: 'keep' | 'discard' }
  | { kind: 'hidden'; hidden: boolean } // a hidden page gets one frame a second
  | { kind: 'ping'; t: number; pong?: { left: number; came: number } } // of the last answer: its `left`, and t when it came
