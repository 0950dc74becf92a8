/** Entities of HTML that people and agents write. All others stay as they are. */

/** Pairs of a name and a sign. */
const NAMED: ReadonlyMap<string, string> = new Map(
  [
    'amp & lt < gt > quot " copy © reg ® trade ™ hellip … mdash — ndash – lsquo ‘ rsquo ’ ldquo “ rdquo ”',
    'laquo « raquo » bull • middot · times × divide ÷ deg ° plusmn ± micro µ para ¶ sect § cent ¢ pound £',
    'yen ¥ euro € larr ← uarr ↑ rarr → darr ↓ harr ↔ rArr ⇒ hArr ⇔ le ≤ ge ≥ ne ≠ asymp ≈ equiv ≡ infin ∞',
    'sum ∑ prod ∏ radic √ int ∫ part ∂ nabla ∇ isin ∈ notin ∉ cap ∩ cup ∪ sub ⊂ sup ⊃ empty ∅ forall ∀',
    'exist ∃ and ∧ or ∨ not ¬ alpha α beta β gamma γ delta δ epsilon ε theta θ lambda λ mu μ pi π rho ρ',
    'sigma σ tau τ phi φ chi χ psi ψ omega ω Delta Δ Sigma Σ Omega Ω check ✓ cross ✗ frac12 ½ frac14 ¼',
    "sup2 ² sup3 ³ verbar | vert | ast * lowbar _ lbrack [ rbrack ] lpar ( rpar ) num # colon : excl ! apos '",
    'bsol \\ grave ` sim ∼ dollar $ percnt % commat @ equals = plus +',
  ].flatMap((line) =>
    [...line.matchAll(/(\w+) (\S+)/g)].map(([, name = '', sign = '']) => [name, sign] as const),
  ),
);
const SPACES: ReadonlyMap<string, string> = new Map([
  ['nbsp', '\u00A0'],
  ['ensp', '\u2002'],
  ['emsp', '\u2003'],
  ['thinsp', '\u2009'],
]);
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\dA-Fa-f]{1,6})|(\w{2,8}));/g;

export function withoutEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name) ?? SPACES.get(name) ?? whole;
    return signOf(decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal));
  });
}

function signOf(codePoint: number): string {
  const isControl = codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0);
  const isHalf = codePoint >= 0xd8_00 && codePoint <= 0xdf_ff;
  if (isControl) return codePoint === 9 || codePoint === 10 ? ' ' : '\uFFFD';
  return isHalf || codePoint > 0x10_ff_ff ? '\uFFFD' : String.fromCodePoint(codePoint);
}
