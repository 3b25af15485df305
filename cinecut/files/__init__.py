"""Files: identify one without reading all of it, and write one so that it is complete or not there at all.

    content ─► .cinecut-PID-….part beside the target ─ rename ─► the target

Readers of the target see the old content or the new, never a part. A symbolic link stays a link, the file's mode and
owner are kept, and a file that is read-only, or being read, is never overwritten. Hard links are parted, which is said:
the other names keep what the file held.
"""

from cinecut.files.disks import cache_folder as cache_folder
from cinecut.files.disks import disk_errors as disk_errors
from cinecut.files.disks import disk_full as disk_full
from cinecut.files.disks import free_bytes as free_bytes
from cinecut.files.disks import short_stem as short_stem
from cinecut.files.reading import NotAFileError as NotAFileError
from cinecut.files.reading import check_same as check_same
from cinecut.files.reading import content_of as content_of
from cinecut.files.reading import fingerprint as fingerprint
from cinecut.files.reading import held_by as held_by
from cinecut.files.reading import json_of as json_of
from cinecut.files.reading import near as near
from cinecut.files.reading import open_file as open_file
from cinecut.files.reading import open_regular as open_regular
from cinecut.files.reading import real_path as real_path
from cinecut.files.reading import staying_same as staying_same
from cinecut.files.unfinished import claimed as claimed
from cinecut.files.unfinished import discard_unfinished as discard_unfinished
from cinecut.files.unfinished import new_folder as new_folder
from cinecut.files.unfinished import sweep as sweep
from cinecut.files.unfinished import temporary_folder as temporary_folder
from cinecut.files.unfinished import working_folder as working_folder
from cinecut.files.writing import beside as beside
from cinecut.files.writing import changed_meanwhile as changed_meanwhile
from cinecut.files.writing import check_is_file as check_is_file
from cinecut.files.writing import check_no_source as check_no_source
from cinecut.files.writing import check_writable as check_writable
from cinecut.files.writing import parted as parted
from cinecut.files.writing import put as put
from cinecut.files.writing import refuse_existing as refuse_existing
from cinecut.files.writing import remove as remove
from cinecut.files.writing import together as together
from cinecut.files.writing import write_beside as write_beside
