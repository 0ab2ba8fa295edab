/** @file The chain of joints in a MuJoCo model (MJCF or URDF) of an arm, for its kinematics alone: what it looks like is left out. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import loadMujoco from '@mujoco/mujoco'
import { InputError, systemError } from '../errors.ts'
import type { JointChain } from '../robot/joint-chain.ts'
import { multiply, type Quat, unit, type Vec3 } from '../robot/rotation.ts'

/**
 * `joints`: by name, from the base on; without them all that turn, in the model's order. `tool`: a site or a body.
 * @throws InputError if the model cannot be compiled, or has no such joint or tool
 */
export async function mujocoChain(
  path: string,
  joints: readonly string[] | undefined,
  tool: string | undefined,
): Promise<JointChain> {
  const mj = await loadMujoco()
  const text = bare(read(path))
  const model = (() => {
    try {
      return mj.MjModel.from_xml_string(text)
    } catch (cause) {
      throw new InputError(
        path,
        `cannot be compiled: ${String((cause as Error).message ?? cause)}`,
        'Give an MJCF or URDF file',
        { cause },
      )
    }
  })()
  const data = new mj.MjData(model)
  const { mjOBJ_BODY, mjOBJ_JOINT, mjOBJ_SITE } = mj.mjtObj
  const idOf = (kind: { value: number }, name: string): number => mj.mj_name2id(model, kind.value, name)
  const namesOf = (kind: { value: number }, count: number): string[] =>
    Array.from({ length: count }, (_, id) => mj.mj_id2name(model, kind.value, id)).filter(
      (name): name is string => !!name,
    )
  const known = namesOf(mjOBJ_JOINT, model.njnt)
  const wanted = joints ?? known
  const missing = wanted.find((name) => idOf(mjOBJ_JOINT, name) < 0)
  if (missing !== undefined) throw new InputError(path, `has no joint "${missing}"`, `It has: ${known.join(', ')}`)
  const sites = namesOf(mjOBJ_SITE, model.nsite)
  const bodies = namesOf(mjOBJ_BODY, model.nbody)
  const end = tool ?? sites.at(-1) ?? bodies.at(-1)!
  const site = idOf(mjOBJ_SITE, end)
  const body = site < 0 ? idOf(mjOBJ_BODY, end) : (model.site_bodyid[site] as number)
  if (body < 0)
    throw new InputError(path, `has no site or body "${end}"`, `It has: ${[...sites, ...bodies].join(', ')}`)
  const ids = wanted.map((name) => idOf(mjOBJ_JOINT, name))
  const places = ids.map((id) => model.jnt_qposadr[id] as number)
  const four = (values: ArrayLike<number>, at: number): Quat => [
    values[at]!,
    values[at + 1]!,
    values[at + 2]!,
    values[at + 3]!,
  ]
  const turned: Quat = site < 0 ? [1, 0, 0, 0] : four(model.site_quat, 4 * site)
  return {
    joints: wanted,
    ranges: ids.map((id) => [model.jnt_range[2 * id] as number, model.jnt_range[2 * id + 1] as number]),
    tool(angles) {
      const { qpos } = data
      places.forEach((place, j) => {
        qpos[place] = angles[j]!
      })
      mj.mj_kinematics(model, data)
      const at = Array.from((site < 0 ? data.xpos : data.site_xpos).subarray(3 * (site < 0 ? body : site)).slice(0, 3))
      return { position: at as Vec3, rotation: unit(multiply(four(data.xquat, 4 * body), turned)) }
    },
  }
}

/** With what it includes. @throws InputError if a file is missing */
function read(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').replace(/<!--[\s\S]*?-->|<\?xml[\s\S]*?\?>/g, '')
    return text.replace(/<include\s+file="([^"]+)"\s*\/>/g, (_, file: string) =>
      read(join(dirname(path), file)).replace(/^\s*<mujoco[^>]*>|<\/mujoco>\s*$/g, ''),
    )
  } catch (error) {
    throw systemError(error, path) ?? error
  }
}

const LOOKS = [
  'asset',
  'visual',
  'collision',
  'contact',
  'actuator',
  'sensor',
  'keyframe',
  'equality',
  'tendon',
  'deformable',
]
const WEIGHTLESS = 'boundmass="0.001" boundinertia="0.000001" balanceinertia="true"'

/** Without meshes, materials and motors, which would want further files; bodies that lose their mass with them get a little. */
function bare(text: string): string {
  const blocks = new RegExp(`<(${LOOKS.join('|')})(\\s[^>]*)?(?:/>|>[\\s\\S]*?</\\1>)`, 'g')
  const stripped = text.replace(blocks, '').replace(/<geom(\s[^>]*)?(?:\/>|>\s*<\/geom>)/g, '')
  return /<robot[\s>]/.test(stripped)
    ? stripped.replace(/<robot[^>]*>/, (tag) => `${tag}<mujoco><compiler ${WEIGHTLESS} fusestatic="false"/></mujoco>`)
    : stripped.replace(/<mujoco[^>]*>/, (tag) => `${tag}<compiler ${WEIGHTLESS}/>`)
}
