//! Bytes cut into pieces, as a network cuts them: the places come of the first bytes of an input.

/// Bytes of an input that say where the rest is cut.
const CUT_BYTES: usize = 4;

/// The input without its first bytes, and the pieces of it that these say.
pub fn cut(data: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (places, rest) = data.split_at(CUT_BYTES.min(data.len()));
    (rest, pieces(rest, places))
}

/// `bytes` cut at these places, each a share of the length in 256ths.
pub fn pieces<'a>(bytes: &'a [u8], places: &[u8]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|p| usize::from(*p) * bytes.len() / 256).collect();
    ends.sort_unstable();
    ends.push(bytes.len());
    let mut from = 0;
    ends.into_iter().map(|end| &bytes[std::mem::replace(&mut from, end)..end]).collect()
}

/// The same ways to cut, and byte by byte.
pub fn ways(data: &[u8]) -> (&[u8], [Vec<&[u8]>; 2]) {
    let (rest, pieces) = cut(data);
    (rest, [pieces, rest.chunks(1).collect()])
}
