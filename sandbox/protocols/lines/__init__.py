"""What protocols of commands and replies in lines share: SMTP, POP3 and FTP."""
