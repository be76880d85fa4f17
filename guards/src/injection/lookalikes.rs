//! Letters that look like Latin ones, and characters that cannot be seen.

/// The Latin letter that a letter of another alphabet looks like (Unicode confusables, the ones that are used).
pub(super) fn latin_of(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    Some(match c {
        'а' | 'α' | 'ɑ' | 'ɐ' | 'ᴀ' | 'Ɑ' | 'ⱥ' => 'a',
        'в' | 'ʙ' | 'Ь' | 'ь' | 'β' => 'b',
        'с' | 'ϲ' | 'ᴄ' | 'ɔ' => 'c',
        'ԁ' | 'ɗ' | 'ᴅ' => 'd',
        'е' | 'є' | 'ε' | 'ǝ' | 'ə' | 'ᴇ' | 'ҽ' | 'ɛ' | 'ℯ' => 'e',
        'ғ' | 'ƒ' | 'ꜰ' | 'ɟ' => 'f',
        'ɡ' | 'ɢ' | 'ց' | 'ƃ' => 'g',
        'н' | 'һ' | 'հ' | 'ʜ' | 'ɥ' => 'h',
        'і' | 'ι' | 'ı' | 'ɪ' | 'ᴉ' | 'ӏ' => 'i',
        'ј' | 'ϳ' | 'ᴊ' | 'ɾ' => 'j',
        'к' | 'κ' | 'ᴋ' | 'ʞ' => 'k',
        'ʟ' | 'ⅼ' | 'ƚ' | 'ɩ' | 'ǀ' => 'l',
        'м' | 'ᴍ' | 'ɯ' => 'm',
        'п' | 'η' | 'ո' | 'ɴ' => 'n',
        'о' | 'ο' | 'օ' | 'σ' | 'ᴏ' | 'ഠ' | '೦' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ԛ' | 'զ' => 'q',
        'г' | 'ʀ' | 'ɹ' => 'r',
        'ѕ' | 'ꜱ' | 'ƨ' => 's',
        'т' | 'τ' | 'ᴛ' | 'ʇ' => 't',
        'υ' | 'ս' | 'ᴜ' => 'u',
        'ν' | 'ѵ' | 'ᴠ' | 'ʌ' => 'v',
        'ѡ' | 'ω' | 'ԝ' | 'ᴡ' | 'ʍ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' | 'ʏ' | 'ʎ' => 'y',
        'ᴢ' | 'ʐ' => 'z',
        _ => return None,
    })
}

/// Unicode, DerivedCoreProperties: the default-ignorable characters, and combining marks that only decorate a letter.
pub(super) fn is_invisible(c: char) -> bool {
    c >= '\u{ad}'
        && matches!(c, '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{300}'..='\u{36f}'
        | '\u{20d0}'..='\u{20ff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}')
}
