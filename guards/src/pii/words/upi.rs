//! UPI addresses: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "upi",
    "upiid",
    "vpa",
    "bhim",
    "gpay",
    "googlepay",
    "phonepe",
    "paytm",
    "payee",
    "यूपीआई*",
    "यूपीआय*",
    "யுபிஐ*",
    "ইউপিআই*",
    "యూపీఐ*",
    "યુપીઆઈ*",
    "ಯುಪಿಐ*",
    "യുപിഐ*",
    "ਯੂਪੀਆਈ*",
];
