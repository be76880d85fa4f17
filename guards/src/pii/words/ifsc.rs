//! Codes of bank branches: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "ifsc",
    "ifsccode",
    "rtgs",
    "neft",
    "imps",
    "branchcode",
    "आईएफएससी*",
    "आयएफएससी*",
    "ஐஎஃப்எஸ்சி*",
    "আইএফএসসি*",
    "ఐఎఫ్ఎస్సి*",
    "ఐఎఫ్‌ఎస్‌సి*",
    "આઈએફએસસી*",
    "ಐಎಫ್ಎಸ್ಸಿ*",
    "ഐഎഫ്എസ്സി*",
    "ਆਈਐਫਐਸਸੀ*",
    "bankcode",
    "branch+code",
    "bank+code",
    "ifsc+code",
];
