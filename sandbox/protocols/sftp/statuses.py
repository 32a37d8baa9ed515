"""What a client hears: the status codes of SFTP (draft-ietf-secsh-filexfer-02 §7), and a sentence for each error."""

from __future__ import annotations

import errno

import asyncssh

__all__ = ["CODES", "STATUSES", "status_of"]

STATUSES = {  # draft-ietf-secsh-filexfer-02 §7
    asyncssh.FX_OK: "OK", asyncssh.FX_EOF: "EOF", asyncssh.FX_NO_SUCH_FILE: "NO_SUCH_FILE",
    asyncssh.FX_PERMISSION_DENIED: "PERMISSION_DENIED", asyncssh.FX_FAILURE: "FAILURE",
    asyncssh.FX_OP_UNSUPPORTED: "OP_UNSUPPORTED",
}

CODES = {name: code for code, name in STATUSES.items()}

SENTENCES = {
    errno.ENOENT: (asyncssh.FX_NO_SUCH_FILE, "There is no such file or folder"),
    errno.ELOOP: (asyncssh.FX_NO_SUCH_FILE, "There is no such file or folder"),
    errno.EACCES: (asyncssh.FX_PERMISSION_DENIED, "Its permissions do not allow that"),
    errno.EPERM: (asyncssh.FX_PERMISSION_DENIED, "It belongs to somebody else: they and the teacher can change it"),
    errno.EROFS: (asyncssh.FX_PERMISSION_DENIED, "You can read here, not change anything"),
    errno.EBUSY: (asyncssh.FX_PERMISSION_DENIED, "This folder stays where it is"),
    errno.EEXIST: (asyncssh.FX_FAILURE, "There is something of that name already"),
    errno.ENOTDIR: (asyncssh.FX_FAILURE, "That is not a folder"),
    errno.EISDIR: (asyncssh.FX_FAILURE, "That is a folder, not a file"),
    errno.ENOTEMPTY: (asyncssh.FX_FAILURE, "The folder is not empty"),
    errno.EFBIG: (asyncssh.FX_FAILURE, "No file is that long"),
    errno.EDQUOT: (asyncssh.FX_FAILURE, "There is no room left in this folder"),
    errno.ENOSPC: (asyncssh.FX_FAILURE, "There is no room left on the disk"),
    errno.ENAMETOOLONG: (asyncssh.FX_FAILURE, "That name is too long"),
    errno.EMFILE: (asyncssh.FX_FAILURE, "Too many files are open; close some"),
    errno.EINVAL: (asyncssh.FX_FAILURE, "That cannot be done with this file"),
    errno.ENOTSUP: (asyncssh.FX_OP_UNSUPPORTED, "Permissions are 400 to 777 for a file, 700 to 777 for a folder"),
}


def status_of(error: Exception) -> asyncssh.SFTPError:
    """What a client hears about an error."""
    if isinstance(error, asyncssh.SFTPError):
        return error
    if isinstance(error, OSError):
        code, sentence = SENTENCES.get(error.errno or 0, (asyncssh.FX_FAILURE, "The file could not be used"))
        match code:  # asyncssh's scp tells them apart by class
            case asyncssh.FX_NO_SUCH_FILE:
                return asyncssh.SFTPNoSuchFile(sentence)
            case asyncssh.FX_PERMISSION_DENIED:
                return asyncssh.SFTPPermissionDenied(sentence)
            case asyncssh.FX_OP_UNSUPPORTED:
                return asyncssh.SFTPOpUnsupported(sentence)
        return asyncssh.SFTPError(code, sentence)
    if isinstance(error, OverflowError):  # an offset has 64 bits here, and 63 in the system's calls
        return asyncssh.SFTPError(asyncssh.FX_FAILURE, "No file is that long")
    return asyncssh.SFTPError(asyncssh.FX_FAILURE, str(error))
