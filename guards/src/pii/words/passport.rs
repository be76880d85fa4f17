//! Passports: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "passport",
    "passports",
    "passportno",
    "passportnumber",
    "ppt",
    "pasport",
    "पासपोर्ट*",
    "पारपत्र*",
    "கடவுச்சீட்டு*",
    "பாஸ்போர்ட்*",
    "পাসপোর্ট*",
    "పాస్‌పోర్ట్*",
    "పాస్పోర్ట్*",
    "પાસપોર્ટ*",
    "ಪಾಸ್‌ಪೋರ್ಟ್*",
    "ಪಾಸ್ಪೋರ್ಟ್*",
    "പാസ്പോർട്ട്*",
    "പാസ്‌പോർട്ട്*",
    "ਪਾਸਪੋਰਟ*",
    "ପାସପୋର୍ଟ*",
];
