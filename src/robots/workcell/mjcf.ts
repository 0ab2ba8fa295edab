/** @file Our MuJoCo model of the workcell as XML: arm (or gantry), gripper, bolts, fixtures, toys. Names of its parts are listed in `NAMES`. */
import {
  BOLT,
  CRADLE,
  GRIPPER,
  HOME_ROTATION,
  nominalFixtures,
  OPENING_HEIGHT,
  RAIL,
  rowOf,
  SLOT,
  STAND,
  TIMESTEP,
} from './layout.ts'
import type { CellModel, Toy } from './options.ts'
import { panelOf } from './panel.ts'
import { fromRotationVector } from './spatial.ts'
import type { Fixture, Vec3 } from './truth.ts'

/** Names by which the rest of the simulator finds bodies, joints, geoms and sensors. */
export const NAMES = {
  tcp: 'tcp',
  hand: 'hand',
  table: 'table',
  fingers: ['finger_left', 'finger_right'],
  cradle: (k: number) => `cradle${k}`,
  slot: (k: number) => `slot${k}`,
  stand: 'stand',
  rail: 'rail', // body under a stand that can slide, and the joint between the two
  bolt: (k: number) => `bolt${k}`,
  toy: (i: number) => `toy${i}`,
  panel: 'panel', // before the front camera, where one may stand there
  touch: (k: number) => `touch${k}`,
  load: (fixture: string) => `load_${fixture}`,
  wrist: 'wrist',
}

// Colours that belong to no option. Alpha 0 marks geoms that collide but are never drawn.
const STEEL = '0.62 0.64 0.68 1'
const DARK = '0.16 0.17 0.19 1'
const RUBBER = '0.10 0.10 0.11 1'
const BRASS = '0.86 0.62 0.20 1'
const UNSEEN = '0 0 0 0'

// Contact bits: fixtures meet hand and bolts, bolts meet everything, the hand does not meet itself.
const FIXTURE_BITS = 'contype="2" conaffinity="5"'
const BOLT_BITS = 'contype="4" conaffinity="7"'
const HAND_BITS = 'contype="1" conaffinity="6"'
const LOOKS_ONLY = 'contype="0" conaffinity="0"'

const numbers = (values: ArrayLike<number>) => Array.from(values, (v) => +v.toFixed(9)).join(' ')

const box = (centre: Vec3, half: Vec3, attributes: string) =>
  `<geom type="box" pos="${numbers(centre)}" size="${numbers(half)}" ${attributes}/>`

const capsule = (from: Vec3, to: Vec3, radius: number, attributes: string) =>
  `<geom type="capsule" fromto="${numbers([...from, ...to])}" size="${numbers([radius])}" ${attributes}/>`

const cylinder = (from: Vec3, to: Vec3, radius: number, attributes: string) =>
  `<geom type="cylinder" fromto="${numbers([...from, ...to])}" size="${numbers([radius])}" ${attributes}/>`

/** Gripper: palm, two finger slides and pads; hand frame z towards the fingertips, fingers close along ±y. */
function hand(): string {
  const { tcpAhead, openingPerFinger, padHalf } = GRIPPER
  const finger = (name: string, side: 1 | -1) => `
    <body name="${name}" pos="0 0 ${tcpAhead}" gravcomp="1">
      <joint name="${name}" type="slide" axis="0 ${side} 0" range="0 ${openingPerFinger}" damping="10" armature="0.1"/>
      ${box([0, side * padHalf[1], 0], padHalf, `${HAND_BITS} mass="0.01" condim="4" priority="1" friction="1.5 0.005 0.0001" rgba="${RUBBER}"`)}
      ${box([0, side * 0.0125, -0.01825], [0.0085, 0.0055, 0.02675], `${HAND_BITS} mass="0.04" rgba="${STEEL}"`)}
    </body>`
  return `
    ${box([0, 0, 0.032], [0.022, 0.045, 0.03], `${HAND_BITS} mass="0.6" rgba="${DARK}"`)}
    ${cylinder([0, 0, -0.012], [0, 0, 0.004], 0.032, `${LOOKS_ONLY} mass="0.1" rgba="${STEEL}"`)}
    <site name="${NAMES.tcp}" pos="0 0 ${tcpAhead}"/>
    ${finger(NAMES.fingers[0]!, 1)}
    ${finger(NAMES.fingers[1]!, -1)}`
}

/** One link of the arm in the frames of Craig: turn by `twist` about the parent's x, then move (a, 0, 0) and d along the new z. */
type Link = {
  a: number
  twist: number
  d: number
  low: number
  high: number
  looks: [from: Vec3, to: Vec3, radius: number][]
  mass: number
}
// Light links: with no inertia shaping, heavy ones couple turning and moving, and the tool overshoots by 3 mm and 0.04 rad.
const QUARTER = Math.PI / 2
const LINKS: Link[] = [
  { a: 0, twist: 0, d: 0.333, low: -2.8973, high: 2.8973, mass: 0.9, looks: [[[0, 0, -0.18], [0, 0, -0.02], 0.062]] },
  { a: 0, twist: -QUARTER, d: 0, low: -1.7628, high: 1.7628, mass: 0.9, looks: [[[0, 0, -0.05], [0, 0, 0.05], 0.062]] },
  {
    a: 0,
    twist: QUARTER,
    d: 0.316,
    low: -2.8973,
    high: 2.8973,
    mass: 0.7,
    looks: [
      [[0, 0, -0.24], [0, 0, -0.1], 0.058],
      [[0.0825, -0.04, 0], [0.0825, 0.04, 0], 0.055],
    ],
  },
  {
    a: 0.0825,
    twist: QUARTER,
    d: 0,
    low: -3.0718,
    high: -0.0698,
    mass: 0.7,
    looks: [[[-0.03, 0.02, 0], [-0.0825, 0.1, 0], 0.055]],
  },
  {
    a: -0.0825,
    twist: -QUARTER,
    d: 0.384,
    low: -2.8973,
    high: 2.8973,
    mass: 0.5,
    looks: [[[0, 0, -0.24], [0, 0.03, -0.06], 0.05]],
  },
  {
    a: 0,
    twist: QUARTER,
    d: 0,
    low: -0.0175,
    high: 3.7525,
    mass: 0.4,
    looks: [
      [[0, 0, -0.03], [0, 0, 0.05], 0.048],
      [[0.02, 0, 0.02], [0.07, 0, 0.01], 0.044],
    ],
  },
  {
    a: 0.088,
    twist: QUARTER,
    d: 0,
    low: -2.8973,
    high: 2.8973,
    mass: 0.2,
    looks: [[[0, 0, -0.02], [0, 0, 0.06], 0.04]],
  },
]
const FLANGE = 0.107

/** Seven torque-driven hinges; every body is weightless, so the controller need not carry the arm. */
function panda(model: CellModel): string {
  const rgba = `${numbers(model.linkColour)} 1`
  const opened = LINKS.map((link, i) => {
    const position: Vec3 = [link.a, -Math.sin(link.twist) * link.d, Math.cos(link.twist) * link.d]
    return `
    <body name="link${i + 1}" pos="${numbers(position)}" quat="${numbers(fromRotationVector([link.twist, 0, 0]))}" gravcomp="1">
      <joint name="arm${i}" axis="0 0 1" range="${link.low} ${link.high}" armature="0.1" damping="1"/>
      ${link.looks.map(([from, to, radius]) => capsule(from, to, radius, `${LOOKS_ONLY} mass="${numbers([link.mass / link.looks.length])}" rgba="${rgba}"`)).join('\n      ')}`
  })
  const { x, y, yaw } = model.base
  return `
    <body name="base" pos="${numbers([x, y, 0])}" quat="${numbers(fromRotationVector([0, 0, yaw]))}">
      ${cylinder([0, 0, 0], [0, 0, 0.15], 0.075, `${LOOKS_ONLY} rgba="${rgba}"`)}
    ${opened.join('')}
    <body name="${NAMES.hand}" pos="0 0 ${FLANGE}" quat="${numbers(fromRotationVector([0, 0, -Math.PI / 4]))}" gravcomp="1">
    ${hand()}
    </body>${'</body>'.repeat(LINKS.length)}
    </body>`
}

/**
 * The test double: three slides and three hinges through the tool centre point on one body, so that the joint coordinates
 * are the tool position and the angles of Rz Ry Rx relative to home.
 */
function gantry(): string {
  const anchor = numbers([0, 0, GRIPPER.tcpAhead])
  const slide = (i: number, axis: string) =>
    `<joint name="arm${i}" type="slide" axis="${axis}" pos="${anchor}" armature="0.1" damping="1"/>`
  const hinge = (i: number, axis: string) =>
    `<joint name="arm${i}" type="hinge" axis="${axis}" pos="${anchor}" range="-3.2 3.2" armature="0.01" damping="0.1"/>`
  // joint axes are given in the body frame, and home turns world x, y, z into the hand's y, x, -z
  return `
    <body name="${NAMES.hand}" pos="0 0 ${GRIPPER.tcpAhead}" quat="${numbers(HOME_ROTATION)}" gravcomp="1">
      ${slide(0, '0 1 0')} ${slide(1, '1 0 0')} ${slide(2, '0 0 -1')}
      ${hinge(3, '0 0 -1')} ${hinge(4, '1 0 0')} ${hinge(5, '0 1 0')}
      ${cylinder([0, 0, -0.4], [0, 0, -0.01], 0.03, `${LOOKS_ONLY} mass="0.3" rgba="${STEEL}"`)}
      ${hand()}
    </body>`
}

/** Four walls and a floor around a square hole; the fixture frame is the centre of the opening, z pointing out of the hole. */
function pocket(
  name: string,
  nominal: Fixture,
  wall: number,
  below: number,
  friction: number,
  rgba: string,
  extra = '',
  carrier = `mocap="true" pos="${numbers(nominal.position)}" quat="${numbers(nominal.rotation)}"`,
): string {
  const inner = BOLT.shaftRadius + nominal.clearance
  const outer = inner + wall
  const attributes = `${FIXTURE_BITS} condim="4" friction="${friction} 0.005 0.0001" rgba="${rgba}"`
  const side = (inner + outer) / 2
  const floorHalf = (below - nominal.depth) / 2
  return `
    <body name="${name}" ${carrier}>
      ${box([side, 0, -below / 2], [wall / 2, outer, below / 2], attributes)}
      ${box([-side, 0, -below / 2], [wall / 2, outer, below / 2], attributes)}
      ${box([0, side, -below / 2], [inner, wall / 2, below / 2], attributes)}
      ${box([0, -side, -below / 2], [inner, wall / 2, below / 2], attributes)}
      ${box([0, 0, -nominal.depth - floorHalf], [inner, inner, floorHalf], attributes)}
      ${extra}
    </body>`
}

const GREY = '0.45 0.46 0.48 1'

function fixtures(model: CellModel): string {
  const nominal = nominalFixtures(model.bolts, model.clearance)
  const cradleBelow = CRADLE.depth + CRADLE.wall
  // a foot under the tilted pocket, upright in the world
  const foot = `<geom type="box" pos="0 0.004 -0.032" quat="${numbers(fromRotationVector([-CRADLE.tilt, 0, 0]))}" size="0.012 0.009 0.014" ${LOOKS_ONLY} rgba="${GREY}"/>`
  return [
    ...nominal.cradles.map((fixture, k) =>
      pocket(NAMES.cradle(k), fixture, CRADLE.wall, cradleBelow, model.friction.cradle, GREY, foot),
    ),
    model.rail ? standOnRail(nominal.stand, model.friction.stand) : stand(nominal.stand, model.friction.stand),
    ...nominal.slots.map((fixture, k) =>
      pocket(NAMES.slot(k), fixture, SLOT.wall, OPENING_HEIGHT, model.friction.slot, GREY),
    ),
  ].join('')
}

const stand = (nominal: Fixture, friction: number, extra?: string, carrier?: string) =>
  pocket(NAMES.stand, nominal, STAND.wall, OPENING_HEIGHT, friction, '0.55 0.36 0.62 1', extra, carrier)

/**
 * The stand with dry and viscous friction on a rail that lies on the table; the rail's frame is that of the stand at travel 0.
 * What is drawn of the rail collides with nothing: the end stop is the limit of the joint.
 */
function standOnRail(nominal: Fixture, friction: number): string {
  const half = BOLT.shaftRadius + nominal.clearance + STAND.wall
  const [from, to] = [-half, half + RAIL.stroke]
  const drawn = `${LOOKS_ONLY} rgba="${STEEL}"`
  const bar: Vec3 = [0.005, (to - from) / 2, 0.0015]
  const table = -OPENING_HEIGHT
  const joint =
    `<joint name="${NAMES.rail}" type="slide" axis="0 1 0" range="0 ${RAIL.stroke}" frictionloss="${RAIL.friction}" ` +
    `damping="${RAIL.damping}" solreflimit="0.005 1"/>` +
    `<inertial pos="0 0 ${table / 2}" mass="${RAIL.mass}" diaginertia="0.0001 0.0001 0.0001"/>`
  return `
    <body name="${NAMES.rail}" mocap="true" pos="${numbers(nominal.position)}" quat="${numbers(nominal.rotation)}">
      ${box([0, (from + to) / 2, table + bar[2]], bar, drawn)}
      ${box([0, to + 0.004, table + 0.007], [half, 0.004, 0.007], drawn)}
      ${stand(nominal, friction, joint, '')}
    </body>`
}

/** A hexagonal bolt: shaft and head. It collides with a capsule (a cylinder, where its tip is flat) and a cylinder; the six flats are looks. */
function bolt(k: number, tip: CellModel['tip']): string {
  const { shaftRadius, tipBelowHead, headRadius, headHeight, shaftMass, headMass } = BOLT
  const collides = `${BOLT_BITS} condim="4" friction="0.3 0.005 0.0001"`
  const flats = [0, 1, 2].map((i) => {
    const half: Vec3 = [headRadius, headRadius * Math.tan(Math.PI / 6), headHeight / 2]
    return `<geom type="box" pos="0 0 ${headHeight / 2}" quat="${numbers(fromRotationVector([0, 0, (i * Math.PI) / 3]))}" size="${numbers(half)}" ${LOOKS_ONLY} mass="0" rgba="${BRASS}"/>`
  })
  const shaftLooks = `${collides} mass="${shaftMass}" rgba="${STEEL}"`
  const shaft =
    tip === 'round'
      ? capsule([0, 0, -tipBelowHead + shaftRadius], [0, 0, -shaftRadius], shaftRadius, shaftLooks)
      : cylinder([0, 0, -tipBelowHead], [0, 0, 0], shaftRadius, shaftLooks)
  return `
    <body name="${NAMES.bolt(k)}" pos="${numbers([rowOf(4)[k]!, 0.3, 0.03])}">
      <freejoint name="${NAMES.bolt(k)}"/>
      ${shaft}
      ${cylinder([0, 0, 0], [0, 0, headHeight], headRadius, `${collides} mass="${headMass}" rgba="${UNSEEN}"`)}
      ${flats.join('\n      ')}
    </body>`
}

const toy = ({ kind, size, colour }: Toy, i: number): string => `
    <body name="${NAMES.toy(i)}" pos="${0.35 + 0.1 * i} 0.4 0.05">
      <freejoint name="${NAMES.toy(i)}"/>
      <geom type="${kind}" size="${numbers(size)}" ${BOLT_BITS} condim="4" friction="0.6 0.005 0.0001" mass="0.06" rgba="${numbers(colour)} 1"/>
    </body>`

/** A panel that may stand before the front camera: it collides with nothing, and where it is is state. */
function panel({ frontCamera }: CellModel): string {
  const { half, away } = panelOf(frontCamera)
  return `
    <body name="${NAMES.panel}" mocap="true" pos="${numbers(away.position)}" quat="${numbers(away.rotation)}">
      ${box([0, 0, 0], half, `${LOOKS_ONLY} rgba="${GREY}"`)}
    </body>`
}

function actuators(model: CellModel): string {
  const arm =
    model.arm === 'panda'
      ? LINKS.map((_, i) => `<motor joint="arm${i}" ctrllimited="true" ctrlrange="${i < 4 ? '-87 87' : '-12 12'}"/>`)
      : [0, 1, 2, 3, 4, 5].map((i) => {
          const [kp, force] = i < 3 ? [2500, 60] : [60, 10]
          return `<position joint="arm${i}" kp="${kp}" dampratio="1" forcelimited="true" forcerange="-${force} ${force}"/>`
        })
  return `${arm.join('\n    ')}
    <position tendon="grip" kp="2000" kv="120" forcelimited="true" forcerange="-30 30"/>`
}

/** Contact sensors: net force on each fixture and the table, net force on the hand, and whether the hand touches a bolt. */
function sensors(model: CellModel): string {
  const bolts = rowOf(model.bolts).map((_, k) => k)
  const bodies = [...bolts.map(NAMES.cradle), NAMES.stand, ...bolts.map(NAMES.slot)]
  const load = (name: string, where: string) =>
    `<contact name="${NAMES.load(name)}" ${where} data="force" reduce="netforce"/>`
  return [
    ...bodies.map((body) => load(body, `body1="${body}"`)),
    load(NAMES.table, `geom1="${NAMES.table}"`),
    `<contact name="${NAMES.wrist}" subtree1="${NAMES.hand}" data="force" reduce="netforce"/>`,
    ...bolts.map(
      (k) => `<contact name="${NAMES.touch(k)}" subtree1="${NAMES.hand}" body2="${NAMES.bolt(k)}" data="found"/>`,
    ),
  ].join('\n    ')
}

/** The whole model. Arm joints come first, then the fingers, the rail where there is one, the bolts and the toys. */
export const workcellXml = (model: CellModel): string => `<mujoco model="duet-workcell">
  <compiler angle="radian"/>
  <size memory="4M"/>
  <option timestep="${TIMESTEP}" integrator="implicitfast" cone="elliptic" impratio="10" solver="Newton" iterations="50" ls_iterations="20"/>
  <default>
    <geom solref="0.005 1" solimp="0.95 0.99 0.001"/>
  </default>
  <worldbody>
    <geom name="${NAMES.table}" type="plane" size="2 2 0.1" ${FIXTURE_BITS} friction="0.5 0.005 0.0001" rgba="${UNSEEN}"/>
    ${model.arm === 'panda' ? panda(model) : gantry()}
    ${fixtures(model)}
    ${rowOf(model.bolts)
      .map((_, k) => bolt(k, model.tip))
      .join('')}
    ${model.toys.map(toy).join('')}${model.frontHidden > 0 ? panel(model) : ''}
  </worldbody>
  <tendon>
    <fixed name="grip"><joint joint="${NAMES.fingers[0]}" coef="0.5"/><joint joint="${NAMES.fingers[1]}" coef="0.5"/></fixed>
  </tendon>
  <equality>
    <joint joint1="${NAMES.fingers[0]}" joint2="${NAMES.fingers[1]}" solref="0.005 1"/>
  </equality>
  <actuator>
    ${actuators(model)}
  </actuator>
  <sensor>
    ${sensors(model)}
  </sensor>
</mujoco>`
