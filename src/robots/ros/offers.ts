/** @file What a bridge has instead of the topics that are missing, for the words of an error. */
import { z } from 'zod'
import type { RosVersion } from './messages.ts'

/** `type` as ROS 1 writes it. */
export type Wanted = { name: string; type: string }

const Offers = z.object({ topics: z.array(z.string()), types: z.array(z.string()) })
const SHOWN = 12 // topics in one message

/** `answer`: of the service /rosapi/topics; anything else says nothing. */
export function describeOffers(answer: unknown, wanted: readonly Wanted[], version: RosVersion): string[] {
  const offers = Offers.safeParse(answer)
  if (!offers.success) return []
  const { topics, types } = offers.data
  const theirs = types.some((type) => type.includes('/msg/')) ? 2 : 1
  if (types.length > 0 && theirs !== version)
    return [`its types are those of ROS ${theirs}, robot.version says ${version}`]
  const typeOf = (name: string) => types[topics.indexOf(name)]?.replace('/msg/', '/')
  const others = wanted.flatMap(({ name, type }) => {
    const there = typeOf(name)
    if (there !== undefined && there !== type) return [`${name} is a ${there} there`]
    const silent = there === type ? [`nobody publishes ${name}`] : [] // whoever subscribes makes a topic
    const alike = topics.filter((topic) => topic !== name && typeOf(topic) === type)
    return [...silent, ...(alike.length > 0 ? [`${type} is on ${alike.slice(0, SHOWN).join(', ')}`] : [])]
  })
  if (others.length > 0) return others
  return [topics.length === 0 ? 'it has no topics' : `it has ${topics.slice(0, SHOWN).join(', ')}`]
}
