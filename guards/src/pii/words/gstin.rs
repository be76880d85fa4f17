//! GST numbers: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "gst",
    "gstin",
    "gstno",
    "gstnumber",
    "gsti",
    "जीएसटी*",
    "ஜிஎஸ்டி*",
    "জিএসটি*",
    "జీఎస్టీ*",
    "જીએસટી*",
    "ಜಿಎಸ್ಟಿ*",
    "ജിഎസ്ടി*",
    "ਜੀਐਸਟੀ*",
];
