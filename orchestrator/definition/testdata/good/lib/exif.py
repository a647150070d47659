print("exif")
