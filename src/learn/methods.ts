/** @file All methods by the name that the setting `method` gives them. */
import type { MethodName } from './actors.ts'
import { dsrl } from './baselines/dsrl.ts'
import { hgDagger } from './baselines/hg-dagger.ts'
import { hilConrft } from './baselines/hil-conrft.ts'
import { single } from './baselines/single.ts'
import { dual } from './dual.ts'
import type { Method } from './method.ts'

export const methods: Record<MethodName, Method> = {
  dual,
  single,
  'hg-dagger': hgDagger,
  'hil-conrft': hilConrft,
  dsrl,
}
