/** @file Bytes on the servo bus. Packets are worked out by hand from the protocol: FF FF id length code data ~sum. */
import { describe, expect, it } from 'vitest'
import { encodePacket, INSTRUCTIONS, PacketReader } from '../../../src/robots/so101/feetech/packet.ts'
import { decodeValue, encodeValue, REGISTERS } from '../../../src/robots/so101/feetech/registers.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('a packet', () => {
  it.each([
    ['a ping', encodePacket(1, INSTRUCTIONS.ping), 'ffff010201fb'],
    ['a read of two bytes', encodePacket(1, INSTRUCTIONS.read, [0x38, 2]), 'ffff0104023802be'],
    [
      'a write to two servos at once',
      encodePacket(0xfe, INSTRUCTIONS.syncWrite, [0x2a, 2, 1, 0x00, 0x08, 2, 0xff, 0x07]),
      'fffffe0a832a0201000802ff0737', // sum of fe 0a 83 2a 02 01 00 08 02 ff 07 is 2c8, ~c8 is 37
    ],
  ])('of %s has length and checksum', (_, packet, expected) => expect(hex(packet)).toBe(expected))

  it('is found among noise, in pieces, and after one that lost a byte or had one turned over', () => {
    const reader = new PacketReader()
    expect(reader.push(bytes('00 ff ff ff 01'))).toEqual([])
    expect(reader.push(bytes('04 00 00 08 f2'))).toEqual([{ id: 1, code: 0, data: bytes('00 08') }])
    expect(reader.skipped).toBe(2)
    expect(reader.push(bytes('ff ff 01 04 00 00 09 f2'))).toEqual([]) // 09 was 08
    expect(reader.push(bytes('ff ff 02 04 00 08 f1'))).toEqual([]) // one data byte is gone, so its sum cannot fit
    expect(reader.push(bytes('ff ff 03 02 20 da'))).toEqual([{ id: 3, code: 0x20, data: bytes('') }])
  })
})

describe('a value', () => {
  it.each([
    ['presentPosition', -1, [0x01, 0x80]],
    ['presentPosition', 2048, [0x00, 0x08]],
    ['homingOffset', -85, [0x55, 0x08]], // bit 11 is its sign
    ['homingOffset', 1200, [0xb0, 0x04]],
    ['presentLoad', -300, [0x2c, 0x05]], // bit 10
    ['presentTemperature', 38, [38]],
  ] as const)('of %s, %d, has its sign in a bit of its own', (name, value, expected) => {
    expect(encodeValue(REGISTERS[name], value)).toEqual(expected)
    expect(decodeValue(REGISTERS[name], expected)).toBe(value)
  })

  it('that does not fit is cut to the largest, and a size of 0 has no sign', () => {
    expect(encodeValue(REGISTERS.homingOffset, 5000)).toEqual([0xff, 0x07])
    expect(encodeValue(REGISTERS.torqueEnable, 300)).toEqual([255])
    expect(encodeValue(REGISTERS.goalPosition, -0.2)).toEqual([0, 0])
  })
})
