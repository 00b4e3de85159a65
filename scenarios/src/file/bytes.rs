//! Decides whether bytes are text that may be read at all.
//!
//! Owns the size bound, the encoding and the characters that a file may not hold. Knows no YAML.

use super::BYTES_MAX;
use super::codes::Code;
use super::faults::Sink;
use super::source::Span;

/// Bytes of a refused file that are kept, so that its first lines can be shown.
const KEPT: usize = 4_096;

/// The text without its byte order mark. If something is wrong, the fault is in `sink`.
pub(crate) fn accept(bytes: &[u8], sink: &mut Sink) -> String {
    if bytes.len() > BYTES_MAX {
        sink.error(Code::TooLarge, Span::new(0, 1), format!("the file has more than {BYTES_MAX} bytes"))
            .label("this file is not read")
            .help(format!("a file of this kind has at most {BYTES_MAX} bytes"));
        return String::from_utf8_lossy(&bytes[..KEPT]).into_owned();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => {
            refuse_control(text, sink);
            text.to_owned()
        }
        Err(error) => {
            let at = error.valid_up_to();
            sink.error(Code::NotUtf8, Span::new(at, at + 1), format!("byte 0x{:02x} is not UTF-8", bytes[at]))
                .label("not text")
                .help("save the file as UTF-8");
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// Reports the first character that would be invisible or change how a line looks.
fn refuse_control(text: &str, sink: &mut Sink) {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if !refused(character, next) {
            continue;
        }
        let what = format!("the control character U+{:04X} is not allowed", u32::from(character));
        let help = if character == '\r' { "end lines with LF or CR LF" } else { "delete it, or save the file as text" };
        sink.error(Code::ControlCharacter, Span::new(at, at + character.len_utf8()), what)
            .label("invisible here")
            .help(help);
        return;
    }
}

fn refused(character: char, next: Option<char>) -> bool {
    match character {
        '\t' | '\n' => false,
        '\r' => next != Some('\n'),
        // Marks that reorder what is shown, so that a reviewer sees another file than the program.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        _ => character.is_control(),
    }
}
