/** Languages that are coloured too, but loaded only when one of them is there. */
import csharp from 'highlight.js/lib/languages/csharp';
import haskell from 'highlight.js/lib/languages/haskell';
import kotlin from 'highlight.js/lib/languages/kotlin';
import lua from 'highlight.js/lib/languages/lua';
import makefile from 'highlight.js/lib/languages/makefile';
import perl from 'highlight.js/lib/languages/perl';
import php from 'highlight.js/lib/languages/php';
import powershell from 'highlight.js/lib/languages/powershell';
import r from 'highlight.js/lib/languages/r';
import ruby from 'highlight.js/lib/languages/ruby';
import scala from 'highlight.js/lib/languages/scala';
import swift from 'highlight.js/lib/languages/swift';

export const rarer = { csharp, haskell, kotlin, lua, makefile, perl, php, powershell, r, ruby, scala, swift };
