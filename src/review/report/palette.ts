/** @file Colours of series, to be told apart on light and on dark ground. */

export const PALETTE = [
  { light: '#2a6fd0', dark: '#639ff2' },
  { light: '#d2571c', dark: '#f08a55' },
  { light: '#16936a', dark: '#40c795' },
  { light: '#8557cf', dark: '#b394f2' },
  { light: '#b07d00', dark: '#e2b13c' },
  { light: '#cb3f77', dark: '#f07fac' },
  { light: '#1393a5', dark: '#4cc4d5' },
  { light: '#5c6470', dark: '#a9b1bc' },
] as const

/** The class that gives an element a series' colour; behind the last colour they begin anew. */
export const colourClass = (colour: number): string => `s${colour % PALETTE.length}`
